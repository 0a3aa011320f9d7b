#include "session/session.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "channel/channel.h"
#include "session/descendants.h"
#include "session/ending.h"
#include "session/exit.h"
#include "session/stream.h"
#include "session/verdict.h"

static struct session *table[SESSIONS_MAX];
static size_t count, open_count;
static size_t first;
static bool sweep_wanted;

static void on_report(struct watch *watch, uint32_t events) {
  struct session *session =
      (struct session *)((char *)watch - offsetof(struct session, report));
  (void)events;
  session->report_ready = true;
}

struct session *session_open(uint32_t id, enum session_kind kind) {
  struct session *session = NULL;
  if (open_count < OPEN_SESSIONS_MAX && count < SESSIONS_MAX) session = calloc(1, sizeof *session);
  if (session == NULL) {
    session_refuse(id, kind == SESSION_EXEC ? 125 : 1, EAGAIN, "too many sessions");
    return NULL;
  }
  session->id = id;
  session->kind = kind;
  session->report = (struct watch){.fd = -1, .ready = on_report};
  inlet_init(&session->in);
  outlet_init(&session->out[0]);
  outlet_init(&session->out[1]);
  table[count++] = session;
  open_count++;
  return session;
}

static void free_session(size_t index) {
  struct session *session = table[index];
  loop_close(&session->report);
  inlet_close(&session->in);
  loop_close(&session->out[0].watch);
  loop_close(&session->out[1].watch);
  free(session);
  table[index] = table[--count];
}

bool session_abandon(struct session *session, int error, const char *reason) {
  session_refuse(session->id, session->kind == SESSION_EXEC ? 125 : 1, error, reason);
  open_count--;
  for (size_t i = count; i-- > 0;) {
    if (table[i] == session) free_session(i);
  }
  return false;
}

struct session *session_find(uint32_t id) {
  for (size_t i = 0; i < count; i++) {
    if (table[i]->id == id && !table[i]->exited) return table[i];
  }
  return NULL;
}

struct session *session_of_child(pid_t child) {
  for (size_t i = 0; i < count; i++) {
    if (table[i]->child == child) return table[i];
  }
  return NULL;
}

void session_ended(struct session *session, int status, const struct rusage *usage) {
  if (session->ended) return;
  session->ended = true;
  session->ended_at = now_us();
  session->disk_full = session->kind == SESSION_EXEC && verdict_disk_is_full();
  session->status = status;
  session->usage = *usage;
  inlet_close(&session->in);
}

static void signal_all(struct session *session, int signal) {
  if (session->cgroup != NULL) {
    cgroup_signal(session->cgroup, signal);
    return;
  }
  descendants_signal(session->child, session->command, signal);
  /* A process that forked while we looked is found by the next sweep. */
  if (signal == SIGKILL) {
    session->kill_again = true;
    sweep_wanted = true;
  }
}

void session_signal(struct session *session, int signal, bool whole) {
  if (whole) {
    signal_all(session, signal);
    ending_signalled(session, signal);
  } else if (!session->ended && kill(-session->command, signal) != 0 && errno == ESRCH) {
    /* It has not made its process group yet. */
    kill(session->command, signal);
  }
}

void session_resize(struct session *session, const struct winsize *size) {
  if (session->terminal && session->out[0].watch.fd >= 0) {
    ioctl(session->out[0].watch.fd, TIOCSWINSZ, size);
  }
}

/* Only from a supervisor: our own children are reaped, and their report is read then. */
static void read_reports(struct session *session) {
  struct report report;
  session->report_ready = false;
  while (report_read(session->report.fd, &report)) {
    if (report.kind == REPORT_STARTED) session->command = report.command;
    if (report.kind == REPORT_FAILED) session->failure = report;
    if (report.kind == REPORT_ENDED) {
      session_ended(session, report.status, &report.usage);
      loop_close(&session->report);
      return;
    }
  }
  /* The end of the pipe without REPORT_ENDED: reaping the supervisor ends the session. */
  if (errno != EAGAIN) loop_close(&session->report);
}

/* A supervisor lives as long as anything below it does. */
static bool has_left_nothing(const struct session *session) {
  return session->cgroup == NULL ? session->child == 0 : cgroup_return(session->cgroup);
}

static void end(struct session *session) {
  exit_send(session);
  session->exited = true;
  open_count--;
  sweep_wanted = true;
  /* That hangs it up for who still uses it. */
  if (session->terminal) loop_close(&session->out[0].watch);
}

static bool pump(struct session *session) {
  bool more = false;
  if (session->report_ready && session->report.fd >= 0) read_reports(session);
  inlet_pump(session);
  ending_settle(session);
  for (int i = 0; i < 2; i++) more |= outlet_pump(session, i);
  if (session->settled && !session->exited && channel_has_room() && ending_is_due(session)) {
    end(session);
  }
  return more;
}

bool sessions_pump(void) {
  bool more = false;
  /* Another one begins each time, or the first would have all of a slow channel. */
  if (++first >= count) first = 0;
  for (size_t i = 0; i < count; i++) more |= pump(table[(first + i) % count]);
  return more;
}

void sessions_sweep(void) {
  sweep_wanted = false;
  for (size_t i = count; i-- > 0;) {
    struct session *session = table[i];
    if (session->kill_again) {
      descendants_signal(session->child, session->command, SIGKILL);
      sweep_wanted = true;
    }
    if (session->exited && has_left_nothing(session)) free_session(i);
  }
}

bool sessions_want_sweep(void) { return sweep_wanted; }

void sessions_look_again(void) {
  sweep_wanted = true;
  ending_look_again();
}

void sessions_signal(int signal) {
  for (size_t i = 0; i < count; i++) signal_all(table[i], signal);
}

bool sessions_running(void) { return count > 0; }

bool sessions_are_open(void) { return open_count > 0; }

void sessions_close(void) {
  for (size_t i = 0; i < count; i++) {
    if (table[i]->exited || !channel_has_room()) continue;
    if (!table[i]->ended) table[i]->status = SIGKILL;
    exit_send(table[i]);
    table[i]->exited = true;
    open_count--;
  }
}

void sessions_kill(void) {
  for (size_t i = 0; i < count; i++) {
    signal_all(table[i], SIGKILL);
    if (table[i]->child > 0) kill(table[i]->child, SIGKILL);
  }
}
