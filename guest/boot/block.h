/* The guest's virtio block devices, taken from their driver and given back. */
#ifndef AGENT_BLOCK_H
#define AGENT_BLOCK_H

/* All but that one, which is `/dev/NAME`. Paths are those below the directory `top`. Failing ends the agent. */
void block_unbind_others(int top, const char *device);

/* In the order of the bus, so that they get the names that a boot would give them. */
void block_bind(int top);

#endif
