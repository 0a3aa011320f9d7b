/* When the EXIT of a session is due. */
#ifndef AGENT_ENDING_H
#define AGENT_ENDING_H

#include "session/session.h"

/* All of the session was sent this signal: after SIGTERM and SIGKILL the EXIT waits for all of it. */
void ending_signalled(struct session *session, int signal);

/* Some process died: whoever waits for the last of a session looks at once. */
void ending_look_again(void);

/* Settles a session whose command has ended, as soon as that may be. */
void ending_settle(struct session *session);

/* Of a session that has settled: whether all its output is sent, or given up. */
bool ending_is_due(struct session *session);

#endif
