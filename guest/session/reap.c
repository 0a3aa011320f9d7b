#include "session/reap.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel/loop.h"
#include "control/end.h"
#include "session/cgroup.h"
#include "session/session.h"

/* A fork bomb's zombies must not keep the agent from its channel. */
#define REAP_AT_ONCE 256

#define POLL_US 1000

static bool signalled;

static void on_signal(struct watch *watch, uint32_t events) {
  struct signalfd_siginfo info[8];
  (void)events;
  while (read(watch->fd, info, sizeof info) > 0) signalled = true;
}

void reap_open(void) {
  static struct watch watch = {.fd = -1, .ready = on_signal};
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  sigprocmask(SIG_BLOCK, &children, NULL);
  signal(SIGPIPE, SIG_IGN);
  int fd = signalfd(-1, &children, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0 || !loop_add(&watch, fd, EPOLLIN)) agent_fail("signalfd: %s", strerror(errno));
}

static void session_child_died(struct session *session, int status, const struct rusage *usage) {
  struct report report;
  session->child = 0;
  while (session->report.fd >= 0 && report_read(session->report.fd, &report)) {
    if (report.kind == REPORT_FAILED) session->failure = report;
    if (report.kind == REPORT_ENDED) session_ended(session, report.status, &report.usage);
  }
  session_ended(session, status, usage);
  sessions_look_again();
}

/* What wait4() says. */
static pid_t reap_one(void) {
  int status;
  struct rusage usage;
  pid_t pid = wait4(-1, &status, WNOHANG, &usage);
  if (pid <= 0) return pid;
  struct session *session = session_of_child(pid);
  if (session != NULL) session_child_died(session, status, &usage);
  else sessions_look_again();
  return pid;
}

bool reap(void) {
  if (!signalled) return false;
  for (int i = 0; i < REAP_AT_ONCE; i++) {
    if (reap_one() > 0) continue;
    signalled = false;
    return false;
  }
  return true;
}

bool reap_everything(int timeout_ms) {
  int64_t deadline = now_ms() + timeout_ms;
  while (now_ms() < deadline) {
    /* Again each time: something may have forked. */
    kill(-1, SIGKILL);
    pid_t pid;
    while ((pid = reap_one()) > 0) continue;
    if (pid < 0 && errno == ECHILD) return true;
    usleep(POLL_US);
  }
  return false;
}
