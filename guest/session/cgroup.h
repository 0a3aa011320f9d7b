/*
 * One cgroup v2 a session, all below one that holds them to their bounds; the agent stays outside.
 * Only in the root group, that is in a guest of our own: elsewhere `descendants` does the work.
 */
#ifndef AGENT_CGROUP_H
#define AGENT_CGROUP_H

#include <stdbool.h>

struct cgroup;

void cgroup_open(void);
bool cgroup_is_used(void);

/* An empty one, or NULL with errno. */
struct cgroup *cgroup_take(void);

/* For clone3(), so that a child begins in it. */
int cgroup_directory(const struct cgroup *cgroup);

/* In a child that did not begin in it. The kernel may take long for this. */
bool cgroup_enter(const struct cgroup *cgroup);

void cgroup_signal(const struct cgroup *cgroup, int signal);
bool cgroup_has_processes(const struct cgroup *cgroup);
bool cgroup_had_oom_kill(const struct cgroup *cgroup);

/* Whether it was refused a process for there being too many. */
bool cgroup_refused_tasks(const struct cgroup *cgroup);

/* For the next session. False while processes live in it. */
bool cgroup_return(struct cgroup *cgroup);

/* After all sessions. */
void cgroup_close(void);

#endif
