/* The guest's root: an overlay of a writable upper over the read-only image. */
#ifndef AGENT_ROOT_H
#define AGENT_ROOT_H

#include <stdbool.h>

#include "boot/options.h"

/* Builds it and makes it the agent's own root; failing ends the agent. */
void root_enter(const struct options *options);

/* The root was entered with writes in memory, and has not changed since. */
bool root_may_change(void);

/* The initramfs, whose mounts nothing in the guest has touched; -1 once the root may not change any more. */
int root_below(void);

/*
 * With a disk as upper, a new root of the same image takes the place of the old one; with memory the
 * old one stays. Either gets its persist disk. Once.
 */
void root_change(const struct options *options);

#endif
