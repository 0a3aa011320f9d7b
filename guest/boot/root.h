/* The guest's root: an overlay of a writable upper over the read-only image. */
#ifndef AGENT_ROOT_H
#define AGENT_ROOT_H

#include "boot/options.h"

/* Builds it and makes it the agent's own root; failing ends the agent. */
void root_enter(const struct options *options);

#endif
