/*
 * A guest of libkrun's, for example of `krunvm start NAME /.agent`: libkrun's own init has mounted
 * what it knows, and has started the agent with the channel as its standard input and output.
 */
#ifndef AGENT_LIBKRUN_H
#define AGENT_LIBKRUN_H

#include <stdbool.h>

/* By what the agent was started as: there are no arguments to say it with. */
bool libkrun_is_here(const char *name);

/*
 * Gives the agent the standard streams that it should have been started with. Before anything else
 * is opened, which would take their numbers.
 */
void libkrun_find_streams(void);

/* Opens the channel and adds what is missing of the guest's root. */
void libkrun_enter(void);

#endif
