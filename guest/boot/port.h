/* The virtio-serial port that is the channel. */
#ifndef AGENT_PORT_H
#define AGENT_PORT_H

/* Waits until it is there and the host has opened its end. */
int port_open(void);

#endif
