/*
 * A session's processes where there is no cgroup: each command has a supervisor, a child of ours and
 * a subreaper, so that whatever the command leaves behind stays below it.
 */
#ifndef AGENT_DESCENDANTS_H
#define AGENT_DESCENDANTS_H

#include <sys/types.h>

/* In the child: returns in the command, its caller becomes the supervisor. */
void descendants_supervise(void);

/* To all below the supervisor and all of the command's session; returns how many those are. */
int descendants_signal(pid_t supervisor, pid_t command, int signal);

#endif
