/* HELLO, and the phases of the boot that it reports. */
#ifndef AGENT_HELLO_H
#define AGENT_HELLO_H

/* The agent has started, or the guest goes on after it stood still. */
void hello_start(void);

/* A phase is over. */
void hello_phase(const char *name);

void hello_send(void);

#endif
