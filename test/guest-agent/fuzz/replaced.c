/* What the harness has instead of the agent's own; harness.h says why. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "boot/boot.h"
#include "boot/disks.h"
#include "boot/machine-id.h"
#include "control/end.h"
#include "harness.h"
#include "log.h"
#include "session/descendants.h"
#include "session/reap.h"
#include "session/report.h"
#include "session/session.h"
#include "session/spawn.h"
#include "session/stream.h"
#include "session/terminal.h"

#define CHILDREN_MOST 64
#define FIRST_PID 0x30000000

jmp_buf case_end;
const char *end_reason;
static struct session *children[CHILDREN_MOST];
static pid_t last_pid;
static int readers[CHILDREN_MOST];
static size_t reader_count;

/* control/end.c */

_Noreturn void agent_end(int code) {
  (void)code;
  longjmp(case_end, 1);
}

_Noreturn void agent_fail(const char *format, ...) {
  static char reason[400];
  va_list values;
  va_start(values, format);
  vsnprintf(reason, sizeof reason, format, values);
  va_end(values);
  end_reason = reason;
  longjmp(case_end, 1);
}

_Noreturn void agent_host_gone(void) { harness_fail("the agent takes the host for gone"); }
bool agent_is_init(void) { return false; }
bool agent_is_in_vm(void) { return true; }

/* log.c, boot, session/reap.c */

void log_line(const char *format, ...) { (void)format; }
void disks_close(void) {}
void machine_id_set(const uint8_t *id) { (void)id; }
bool boot_may_suspend(void) { return random_below(8) != 0; }
void boot_suspend(void) {}
bool reap_everything(int timeout_ms) { return timeout_ms > 0; }

void boot_start(const struct options *given) {
  if (strlen(given->host) > 64) harness_fail("a host name that no kernel takes");
  if (given->upper[0] != 0 && given->upper[0] != '/') harness_fail("an upper that is no device");
  if (given->persist[0] != 0 && given->persist[0] != '/') harness_fail("a persist disk that is no device");
}

/* session/report.c */

_Noreturn void report_failure(uint32_t code, int error, const char *format, ...) {
  (void)code;
  (void)error;
  (void)format;
  longjmp(case_end, 1);
}

void report_send(const struct report *report) { (void)report; }

bool report_read(int fd, struct report *report) {
  (void)fd;
  (void)report;
  errno = EAGAIN;
  return false;
}

/* session/descendants.c */

void descendants_supervise(void) {}

int descendants_signal(pid_t supervisor, pid_t command, int signal) {
  (void)supervisor;
  (void)command;
  (void)signal;
  return 0;
}

/* session/spawn.c */

static void nonblocking(int fd) { fcntl(fd, F_SETFL, O_NONBLOCK); }

/* What the command would have printed lies in the pipe, which then ends or stays open. */
static void open_outlet(struct outlet *outlet) {
  uint8_t bytes[3000];
  int ends[2];
  size_t length = random_below(sizeof bytes);
  if (pipe2(ends, O_CLOEXEC) != 0) harness_fail("pipe");
  random_fill(bytes, 16);
  if (write(ends[1], bytes, length) != (ssize_t)length) harness_fail("write");
  close(ends[1]);
  nonblocking(ends[0]);
  if (!loop_add(&outlet->watch, ends[0], OUTLET_EVENTS)) harness_fail("epoll");
  outlet->readable = true;
}

/* Somebody reads what comes, or nobody does. */
static void open_inlet(struct inlet *inlet) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) harness_fail("pipe");
  nonblocking(ends[1]);
  if (random_below(4) == 0) close(ends[0]);
  else readers[reader_count++] = ends[0];

  if (!loop_add(&inlet->watch, ends[1], EPOLLOUT | EPOLLET)) harness_fail("epoll");
}

static bool open_terminal(struct session *session) {
  struct terminal terminal;
  if (!terminal_open(&terminal, &session->size)) return false;
  close(terminal.slave);
  session->in.terminal = session->out[0].terminal = true;
  return loop_add(&session->in.watch, terminal.in, EPOLLOUT | EPOLLET) &&
         loop_add(&session->out[0].watch, terminal.out, OUTLET_EVENTS);
}

bool spawn(struct session *session, void (*run)(const void *argument), const void *argument) {
  (void)run;
  (void)argument;
  if (random_below(50) == 0 || reader_count == CHILDREN_MOST) return session_abandon(session, EAGAIN, "fork");
  if (session->terminal) {
    if (!open_terminal(session)) return session_abandon(session, EIO, "terminal");
  } else {
    if (session->kind != SESSION_GET) open_inlet(&session->in);
    if (session->kind != SESSION_PUT) open_outlet(&session->out[0]);
    if (session->kind == SESSION_EXEC) open_outlet(&session->out[1]);
  }
  session->child = session->command = FIRST_PID + ++last_pid;
  session->started = now_us();
  for (int i = 0; i < CHILDREN_MOST; i++) {
    if (children[i] != NULL) continue;
    children[i] = session;
    break;
  }
  return true;
}

void forget_children(void) {
  memset(children, 0, sizeof children);
  while (reader_count > 0) close(readers[--reader_count]);
  last_pid = 0;
}

/* As reap.c does; the session may be freed by the next sweep. */
void end_some_sessions(void) {
  static const int statuses[] = {0, 1 << 8, 255 << 8, SIGKILL, SIGTERM, SIGSEGV | 0x80};
  struct rusage usage = {.ru_maxrss = 1000};
  for (int i = 0; i < CHILDREN_MOST; i++) {
    struct session *session = children[i];
    if (session == NULL || random_below(4) != 0) continue;
    children[i] = NULL;
    session->child = 0;
    session_ended(session, statuses[random_below(6)], &usage);
    sessions_look_again();
  }
}

/* What must not reach this machine: the linker leads these here. */

int __wrap_kill(pid_t pid, int signal);
int __wrap_clock_settime(clockid_t clock, const struct timespec *time);
void __wrap_sync(void);
int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_kill(pid_t pid, int signal) {
  (void)signal;
  if (pid < FIRST_PID && -pid < FIRST_PID) harness_fail("a signal to a process that is no session's");
  errno = ESRCH;
  return -1;
}

int __wrap_clock_settime(clockid_t clock, const struct timespec *time) {
  (void)clock;
  (void)time;
  return 0;
}

void __wrap_sync(void) {}

int __wrap_ioctl(int fd, unsigned long request, ...) {
  va_list values;
  va_start(values, request);
  void *argument = va_arg(values, void *);
  va_end(values);
  /* Those of the random number generator. */
  if ((request >> 8 & 0xff) == 'R') return 0;
  return __real_ioctl(fd, request, argument);
}
