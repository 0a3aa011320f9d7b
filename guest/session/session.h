/*
 * A session is one command, PUT or GET: a child, up to three pipes, and an EXIT at the end. It stays
 * in the table after its EXIT while processes that it left behind live.
 */
#ifndef AGENT_SESSION_H
#define AGENT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "channel/loop.h"
#include "session/cgroup.h"
#include "session/report.h"

#define OPEN_SESSIONS_MAX 512u
#define SESSIONS_MAX 4096u

enum session_kind { SESSION_EXEC, SESSION_PUT, SESSION_GET };

/* Bytes on their way into the child. */
struct inlet {
  struct watch watch;
  uint8_t *data; /* what the pipe did not take yet; NULL when that is nothing */
  size_t start, length;
  uint32_t credit;   /* what the host may still send */
  uint32_t consumed; /* credit to be given back */
  bool terminal; /* the master of one, else a pipe */
  bool controlled; /* by the command: before, nobody would get the signals of what is typed */
  bool in_line;  /* the last byte received ended no line of it */
  bool writable, broken, eof;
};

/* Bytes on their way out of the child. */
struct outlet {
  struct watch watch;
  uint32_t credit; /* what the host still takes */
  bool terminal;
  bool readable, widened;
  int64_t rest_until; /* in microseconds: not read before */
  size_t left; /* once the session has settled: what is still owed */
};

struct session {
  uint32_t id;
  enum session_kind kind;
  struct cgroup *cgroup; /* NULL where there are none */
  pid_t child;   /* our own child: the command, or its supervisor; 0 once reaped */
  pid_t command; /* leader of the command's process group */
  bool terminal;
  struct winsize size; /* of its terminal */
  struct watch report;
  bool report_ready;
  struct report failure; /* kind REPORT_NONE when nothing failed */
  struct inlet in;
  struct outlet out[2];
  bool ended;   /* the command has */
  bool whole;   /* all of it was told to end: EXIT waits for that */
  bool killed;  /* with SIGKILL */
  bool settled; /* only what the outlets owe is still to be sent, then EXIT */
  bool exited;  /* EXIT is sent */
  bool kill_again;
  bool disk_full; /* when the command ended */
  int64_t started, ended_at; /* in microseconds */
  int64_t settled_at;
  int64_t look_at; /* when to look again whether anything of it is left */
  uint32_t deaths; /* seen when it looked last */
  int status;
  struct rusage usage;
};

/* Sends an EXIT for a session that cannot even start. */
void session_refuse(uint32_t id, uint32_t code, int error, const char *reason);

/* NULL, after session_refuse(), when there are too many. */
struct session *session_open(uint32_t id, enum session_kind kind);

/* Before it has a child: refuses it and forgets it. Always false. */
bool session_abandon(struct session *session, int error, const char *reason);

/* Only sessions before their EXIT. */
struct session *session_find(uint32_t id);

/* Any session in the table whose child this is. */
struct session *session_of_child(pid_t child);

void session_ended(struct session *session, int status, const struct rusage *usage);
void session_signal(struct session *session, int signal, bool whole);

/* Of its terminal; without one it does nothing. */
void session_resize(struct session *session, const struct winsize *size);

/* Does what can be done for every session; true when more could be done at once. */
bool sessions_pump(void);

/* Forgets the sessions that have ended and left nothing behind, or not any more. */
void sessions_sweep(void);
bool sessions_want_sweep(void);

/* A process died: it may have been the last of a session. */
void sessions_look_again(void);

void sessions_signal(int signal);
bool sessions_running(void);

/* Before their EXIT. */
bool sessions_are_open(void);

/* Sends every EXIT that is still owed, without the output that the host gave no credit for. */
void sessions_close(void);

/* SIGKILL to all, without waiting. */
void sessions_kill(void);

#endif
