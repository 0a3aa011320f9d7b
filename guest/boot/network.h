/* Interfaces, by ioctl: static addresses need no more. */
#ifndef AGENT_NETWORK_H
#define AGENT_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

void network_up_loopback(void);

/* `ADDRESS/BITS,GATEWAY,NAMESERVER` for the first device that is not `lo`. */
void network_up(const char *setting);

/* The text of a resolv.conf for that setting; false when there is none in it. */
bool network_name_server(const char *setting, char *text, size_t size);

#endif
