/* The guest's virtio block devices, taken from their driver and given back. */
#ifndef AGENT_BLOCK_H
#define AGENT_BLOCK_H

#include <stdbool.h>

/* All but that one, which is `/dev/NAME`. Paths are those below the directory `top`. Failing ends the agent. */
void block_unbind_others(int top, const char *device);

/*
 * The first of them for the upper, the next for /persist, as far as they are wanted: so they get the names that a boot
 * would give them.
 */
void block_bind(int top, bool upper, bool persist);

#endif
