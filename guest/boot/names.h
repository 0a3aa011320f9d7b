/* The guest's names: its own, and where it looks up others. */
#ifndef AGENT_NAMES_H
#define AGENT_NAMES_H

#include "boot/options.h"

/* In the new root. A file that cannot be written is logged, no more. */
void names_set(const struct options *options);

/* The same files for the name that the guest has already; how it looks up others stays as it is. */
void names_keep(void);

#endif
