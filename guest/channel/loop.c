#include "loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "control/end.h"

#define EVENTS_AT_ONCE 64

static int epoll_fd = -1;
static int64_t due; /* 0 when nothing is */

void loop_open(void) {
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd < 0) agent_fail("epoll_create1: %s", strerror(errno));
}

bool loop_add(struct watch *watch, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data = {.ptr = watch}};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) return false;
  watch->fd = fd;
  watch->events = events;
  return true;
}

void loop_change(struct watch *watch, uint32_t events) {
  if (watch->fd < 0 || watch->events == events) return;
  struct epoll_event event = {.events = events, .data = {.ptr = watch}};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) == 0) watch->events = events;
}

void loop_rearm(struct watch *watch) {
  struct epoll_event event = {.events = watch->events, .data = {.ptr = watch}};
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
}

void loop_close(struct watch *watch) {
  if (watch->fd < 0) return;
  epoll_ctl(epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
  close(watch->fd);
  watch->fd = -1;
}

void loop_due(int64_t time) {
  if (due == 0 || time < due) due = time;
}

/* `timeout` where that is sooner; -1 is for ever. */
static int until_due(int timeout) {
  if (due == 0) return timeout;
  int64_t left = (due - now_us() + 999) / 1000;
  if (left < 0) left = 0;
  return timeout >= 0 && timeout < left ? timeout : (int)left;
}

_Noreturn void loop_run(int (*step)(void)) {
  struct epoll_event events[EVENTS_AT_ONCE];
  for (;;) {
    due = 0;
    int timeout = step();
    int count = epoll_wait(epoll_fd, events, EVENTS_AT_ONCE, until_due(timeout));
    for (int i = 0; i < count; i++) {
      struct watch *watch = events[i].data.ptr;
      if (watch->fd >= 0) watch->ready(watch, events[i].events);
    }
  }
}

int64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t now_ms(void) { return now_us() / 1000; }
