/* The guest's names: its own, and where it looks up others. */
#ifndef AGENT_NAMES_H
#define AGENT_NAMES_H

#include "boot/options.h"

/* In the new root. A file that cannot be written is logged, no more. */
void names_write(const struct options *options);

#endif
