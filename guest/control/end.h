/* How the agent ends: as init it powers the guest off, over a pipe it exits. */
#ifndef AGENT_END_H
#define AGENT_END_H

#include <stdbool.h>

/* True when the agent is the guest's init. */
bool agent_is_init(void);
void agent_set_init(void);

/* True also where libkrun has booted the guest: all its files are the guest's. */
bool agent_is_in_vm(void);
void agent_set_in_vm(void);

/* Says why on the console and, as ERROR, to the host. */
_Noreturn void agent_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

_Noreturn void agent_host_gone(void);

/* Leaves no process behind. */
_Noreturn void agent_end(int code);

#endif
