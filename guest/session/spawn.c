#include "session/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "control/end.h"
#include "session/descendants.h"
#include "session/stream.h"
#include "session/terminal.h"

#define PIPES 4 /* stdin, stdout, stderr, report */
#define AGENT_FILES 65536
#define CHILD_FILES_SOFT 1024
#define CHILD_FILES_HARD 65536
#define SUPERVISOR_MS 5000

/* The same on every architecture; not every C library has them. */
#define CLONE3 435
#define INTO_CGROUP 0x200000000ull

struct pipes {
  int ours[PIPES];
  int theirs[PIPES];
};

static int null_fd = -1;
static bool handled[NSIG];

void spawn_open(void) {
  /* A pipe end with such a number would be overwritten in the child. */
  do {
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0) agent_fail("/dev/null: %s", strerror(errno));
  } while (null_fd <= REPORT_FD);
  struct rlimit files = {.rlim_cur = AGENT_FILES, .rlim_max = AGENT_FILES};
  setrlimit(RLIMIT_NOFILE, &files);
}

static bool has_pipe(const struct session *session, int number) {
  if (number == REPORT_FD) return true;
  if (session->terminal) return false;
  if (number == 0) return session->kind != SESSION_GET;
  if (number == 1) return session->kind != SESSION_PUT;
  return session->kind == SESSION_EXEC;
}

static void close_pipes(int fds[PIPES]) {
  for (int i = 0; i < PIPES; i++) {
    /* A terminal is all three streams. */
    bool again = i > 0 && fds[i] == fds[i - 1];
    if (fds[i] >= 0 && fds[i] != null_fd && !again) close(fds[i]);
  }
}

static bool fail_pipes(struct pipes *pipes) {
  int error = errno;
  close_pipes(pipes->ours);
  close_pipes(pipes->theirs);
  errno = error;
  return false;
}

static bool open_pipes(struct pipes *pipes, const struct session *session) {
  struct terminal terminal;
  for (int i = 0; i < PIPES; i++) {
    pipes->ours[i] = -1;
    pipes->theirs[i] = null_fd;
  }
  if (session->terminal) {
    if (!terminal_open(&terminal, &session->size)) return false;
    pipes->ours[0] = terminal.in;
    pipes->ours[1] = terminal.out;
    for (int i = 0; i < 3; i++) pipes->theirs[i] = terminal.slave;
  }
  for (int i = 0; i < PIPES; i++) {
    int ends[2];
    if (!has_pipe(session, i)) continue;
    if (pipe2(ends, O_CLOEXEC) != 0) return fail_pipes(pipes);
    pipes->ours[i] = ends[i == 0 ? 1 : 0];
    pipes->theirs[i] = ends[i == 0 ? 0 : 1];
    fcntl(pipes->ours[i], F_SETFL, O_NONBLOCK);
  }
  return true;
}

static void reset_oom_score(void) {
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t written = write(fd, "0", 1);
  (void)written;
  close(fd);
}

static void close_from(unsigned first) {
  if (syscall(SYS_close_range, first, ~0u, 0u) == 0) return;
  for (int fd = (int)first; fd < AGENT_FILES; fd++) close(fd);
}

/* Ours, and what we were started with: to ask for each signal in each child would take its time. */
static void find_handled(void) {
  static bool known;
  struct sigaction action;
  if (known) return;
  known = true;
  for (int number = 1; number < NSIG; number++) {
    handled[number] = sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL;
  }
}

static void reset_signals(void) {
  sigset_t none;
  for (int number = 1; number < NSIG; number++) {
    if (handled[number]) signal(number, SIG_DFL);
  }
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become_child(const struct session *session, const struct pipes *pipes, bool entered) {
  for (int i = 0; i < PIPES; i++) dup2(pipes->theirs[i], i);
  fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC);
  if (session->cgroup != NULL && !entered && !cgroup_enter(session->cgroup)) {
    report_failure(125, errno, "cgroup");
  }
  reset_oom_score();
  close_from(REPORT_FD + 1);
  struct rlimit files = {.rlim_cur = CHILD_FILES_SOFT, .rlim_max = CHILD_FILES_HARD};
  setrlimit(RLIMIT_NOFILE, &files);
  if (session->cgroup == NULL) descendants_supervise();
  setsid();
  if (session->terminal && !terminal_control()) report_failure(125, errno, "terminal");
  umask(022);
  reset_signals();
}

static bool watch_pipes(struct session *session, const struct pipes *pipes) {
  struct watch *watches[PIPES] = {&session->in.watch, &session->out[0].watch,
                                  &session->out[1].watch, &session->report};
  bool watched = true;
  session->in.terminal = session->out[0].terminal = session->terminal;
  for (int i = 0; i < PIPES; i++) {
    if (pipes->ours[i] < 0) continue;
    watches[i]->fd = pipes->ours[i];
    /* Our own child's report is read when it is reaped. */
    if (i == REPORT_FD && session->cgroup != NULL) continue;
    uint32_t events = i == REPORT_FD ? EPOLLIN | EPOLLET : OUTLET_EVENTS;
    if (i == 0) events = EPOLLOUT | EPOLLET;
    watched &= loop_add(watches[i], pipes->ours[i], events);
  }
  return watched;
}

/* Without its number the command could not be signalled. It comes at once, or never. */
static void await_supervisor(struct session *session) {
  struct pollfd wait = {.fd = session->report.fd, .events = POLLIN};
  struct report report;
  if (poll(&wait, 1, SUPERVISOR_MS) != 1 || !report_read(session->report.fd, &report)) return;
  if (report.kind == REPORT_STARTED) session->command = report.command;
  if (report.kind == REPORT_FAILED) session->failure = report;
}

/* As in linux/sched.h, up to what was added with CLONE_INTO_CGROUP. */
struct clone_arguments {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
      set_tid_size, cgroup;
};

/*
 * A child that begins in its cgroup, where the kernel can do that (Linux 5.7): to move it there later
 * would make it wait for all processors.
 */
static pid_t fork_into(const struct cgroup *cgroup, bool *entered) {
  static bool refused;
  *entered = cgroup != NULL && !refused;
  if (*entered) {
    struct clone_arguments arguments = {
        .flags = INTO_CGROUP,
        .exit_signal = SIGCHLD,
        .cgroup = (uint64_t)cgroup_directory(cgroup),
    };
    long child = syscall(CLONE3, &arguments, sizeof arguments);
    if (child >= 0 || (errno != ENOSYS && errno != EINVAL && errno != E2BIG)) return (pid_t)child;
    refused = true;
    *entered = false;
  }
  return fork();
}

bool spawn(struct session *session, void (*run)(const void *argument), const void *argument) {
  struct pipes pipes;
  bool entered;
  if (!open_pipes(&pipes, session)) {
    return session_abandon(session, errno, session->terminal ? "terminal" : "pipe");
  }
  find_handled();
  if (cgroup_is_used() && (session->cgroup = cgroup_take()) == NULL) {
    fail_pipes(&pipes);
    return session_abandon(session, errno, "cgroup");
  }
  session->started = now_us();
  pid_t child = fork_into(session->cgroup, &entered);
  if (child == 0) {
    become_child(session, &pipes, entered);
    run(argument);
    _exit(0);
  }
  int error = errno;
  close_pipes(pipes.theirs);
  if (!watch_pipes(session, &pipes)) agent_fail("epoll: %s", strerror(errno));
  if (child < 0) {
    if (session->cgroup != NULL) cgroup_return(session->cgroup);
    return session_abandon(session, error, "fork");
  }
  session->child = session->command = child;
  if (session->cgroup == NULL) {
    session->command = 0;
    await_supervisor(session);
  }
  return true;
}
