/*
 * One cgroup v2 a session, all below one that holds them to their bounds; the agent stays outside.
 * Only in the root group, that is in a guest of our own: elsewhere `descendants` does the work.
 */
#ifndef AGENT_CGROUP_H
#define AGENT_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

void cgroup_open(void);
bool cgroup_is_used(void);

/* The file that a child writes "0" to, or -1 with errno. */
int cgroup_make(uint32_t session);
void cgroup_signal(uint32_t session, int signal);
uint32_t cgroup_oom_kills(uint32_t session);

/* Whether it was refused a process for there being too many. */
bool cgroup_refused_tasks(uint32_t session);

bool cgroup_has_processes(uint32_t session);

/* False while processes live in it. */
bool cgroup_remove(uint32_t session);

/* After all sessions. */
void cgroup_close(void);

#endif
