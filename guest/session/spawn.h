/* Makes a session's child with its pipes, in its cgroup, as a blank process. */
#ifndef AGENT_SPAWN_H
#define AGENT_SPAWN_H

#include <stdbool.h>

#include "session/session.h"

/* Opens what every child needs from the agent, and what keeps 0 to 3 free for the children. */
void spawn_open(void);

/*
 * `run` gets `argument` in the child, where 0 to 2 are the session's streams, and never returns.
 * False: the EXIT is sent, the session is gone.
 */
bool spawn(struct session *session, void (*run)(const void *argument), const void *argument);

#endif
