/*
 * One thread, one epoll. Watches only note that something is ready; the work is done by the steps,
 * in a fixed order, so that nothing is freed under a pending event.
 */
#ifndef AGENT_LOOP_H
#define AGENT_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct watch {
  int fd; /* -1 when closed */
  uint32_t events;
  void (*ready)(struct watch *watch, uint32_t events);
};

void loop_open(void);

/* False when the kernel cannot poll such a file. */
bool loop_add(struct watch *watch, int fd, uint32_t events);
void loop_change(struct watch *watch, uint32_t events);

/* For a watch with EPOLLONESHOT: once more. */
void loop_rearm(struct watch *watch);

/* Forgets the watch and closes its file. A second call does nothing. */
void loop_close(struct watch *watch);

/* `step` does all pending work and returns how long the loop may sleep: milliseconds, or -1. */
_Noreturn void loop_run(int (*step)(void));

/* The next step comes at this time of now_us() at the latest. Each step says so anew. */
void loop_due(int64_t time);

int64_t now_ms(void);
int64_t now_us(void);

#endif
