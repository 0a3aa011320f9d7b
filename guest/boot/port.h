/* Virtio-serial ports, which have names. */
#ifndef AGENT_PORT_H
#define AGENT_PORT_H

#include <stdbool.h>

/* The one that is the channel: waits until it is there and the host has opened its end. */
int port_open(void);

/* False where the kernel has no such ports. */
bool ports_are_here(void);

/* Whether this descriptor is the port of that name. */
bool port_is(int fd, const char *name);

/* Opens the port of that name, also one that comes late; -1 where none comes. */
int port_await(const char *name, int flags);

#endif
