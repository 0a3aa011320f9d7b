/* The EXIT frame: what became of a session. */
#ifndef AGENT_EXIT_H
#define AGENT_EXIT_H

#include "session/session.h"

void exit_send(const struct session *session);

#endif
