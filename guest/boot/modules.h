/* Kernel modules, from the initramfs. */
#ifndef AGENT_MODULES_H
#define AGENT_MODULES_H

/* Loads what /modules/order lists and frees the files. */
void modules_load(void);

#endif
