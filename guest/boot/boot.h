/* Init's work before the first frame. Everything on the root image is untrusted. */
#ifndef AGENT_BOOT_H
#define AGENT_BOOT_H

#include <stdbool.h>

/* False: no root was asked for, only the channel is up. */
bool boot(void);

#endif
