/*
 * The guest agent. As init of a virtual machine it boots the guest; as /.agent it is in one that
 * libkrun has booted; with --stdio, or not as process 1, it only serves the protocol on its standard
 * input and output. docs/guest-protocol.md is the contract.
 */
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "boot/boot.h"
#include "boot/libkrun.h"
#include "channel/channel.h"
#include "channel/dispatch.h"
#include "channel/loop.h"
#include "control/end.h"
#include "control/hello.h"
#include "control/shutdown.h"
#include "control/suspend.h"
#include "session/cgroup.h"
#include "session/reap.h"
#include "session/session.h"
#include "session/spawn.h"
#include "session/stream.h"

#define SWEEP_MS 100
#define SHUTDOWN_MS 20

/* Neither want of memory nor a fork bomb may stop the agent; its children get none of this. */
static void protect(void) {
  struct sched_param priority = {.sched_priority = 1};
  /* musl's own function does nothing but fail. */
  syscall(SYS_sched_setscheduler, 0, SCHED_RR | SCHED_RESET_ON_FORK, &priority);
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t written = write(fd, "-1000", 5);
  (void)written;
  close(fd);
}

static void sweep_when_due(void) {
  static int64_t last;
  if (!sessions_want_sweep() || now_ms() - last < SWEEP_MS) return;
  sessions_sweep();
  last = now_ms();
}

/* Of two waits, where -1 is for ever. */
static int sooner(int wait, int other) { return wait < 0 || other < wait ? other : wait; }

static int step(void) {
  bool more = reap();
  channel_receive(dispatch);
  more |= sessions_pump();
  shutdown_step();
  suspend_step();
  channel_flush();
  /* Only now: an EXIT need not wait for it. */
  sweep_when_due();
  if (channel_pending()) more = true;
  if (outlets_were_starved() && channel_wants_output()) more = true;
  if (more) return 0;
  int wait = -1;
  if (shutdown_has_begun()) wait = sooner(wait, SHUTDOWN_MS);
  if (sessions_want_sweep()) wait = sooner(wait, SWEEP_MS);
  return wait;
}

int main(int argc, char **argv) {
  hello_start();
  bool libkrun = libkrun_is_here(argv[0]);
  if (libkrun) libkrun_find_streams();
  loop_open();
  bool stdio = getpid() != 1 || (argc > 1 && strcmp(argv[1], "--stdio") == 0);
  bool has_root = true;
  if (!libkrun && !stdio) {
    agent_set_init();
    has_root = boot();
  } else {
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (libkrun) libkrun_enter();
    else channel_open(STDIN_FILENO, STDOUT_FILENO);
  }
  spawn_open();
  reap_open();
  protect();
  if (has_root) cgroup_open();
  dispatch_open(has_root);
  hello_send();
  loop_run(step);
}
