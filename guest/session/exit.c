#include "session/exit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>

#include "channel/channel.h"
#include "control/end.h"
#include "fields.h"
#include "protocol.h"
#include "session/verdict.h"

static void put_failure(struct field_writer *fields, uint32_t code, int error,
                        const char *reason) {
  field_put_u32(fields, TAG_CODE, code);
  field_put_u32(fields, TAG_ERRNO, (uint32_t)error);
  field_put_string(fields, TAG_REASON, reason);
}

void session_refuse(uint32_t id, uint32_t code, int error, const char *reason) {
  struct field_writer fields = {.length = 0};
  put_failure(&fields, code, error, reason);
  channel_send(TYPE_EXIT, id, fields.data, fields.length);
}

/* PUT and GET have no exit code of their own: they fail with 1 and a reason. */
static void put_transfer_end(struct field_writer *fields, int status, bool oom) {
  char reason[64];
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    field_put_u32(fields, TAG_CODE, 0);
  } else if (WIFSIGNALED(status)) {
    snprintf(reason, sizeof reason, "transfer: ended by signal %d", WTERMSIG(status));
    put_failure(fields, 1, oom ? ENOMEM : EIO, reason);
  } else {
    put_failure(fields, 1, EIO, "transfer: failed");
  }
}

static uint64_t microseconds(const struct timeval *time) {
  return (uint64_t)time->tv_sec * 1000000u + (uint64_t)time->tv_usec;
}

static void put_verdicts(struct field_writer *fields, const struct session *session) {
  uint32_t limits = 0;
  if (session->failure.kind != REPORT_FAILED && session->ended) {
    field_put_u64(fields, TAG_ELAPSED, (uint64_t)(session->ended_at - session->started));
  }
  if (session->cgroup != NULL && cgroup_refused_tasks(session->cgroup)) limits |= LIMIT_TASKS;
  if (session->disk_full) limits |= LIMIT_DISK;
  if (limits != 0) field_put_u32(fields, TAG_LIMITS, limits);
  if (session->kind == SESSION_EXEC && agent_is_in_vm()) {
    field_put_u32(fields, TAG_OUT, verdict_has_out() ? 1 : 0);
  }
}

void exit_send(const struct session *session) {
  struct field_writer fields = {.length = 0};
  bool oom = session->cgroup != NULL && cgroup_had_oom_kill(session->cgroup);
  if (session->failure.kind == REPORT_FAILED) {
    const struct report *failure = &session->failure;
    put_failure(&fields, failure->code, failure->error, failure->reason);
  } else if (session->kind != SESSION_EXEC) {
    put_transfer_end(&fields, session->status, oom);
  } else if (WIFSIGNALED(session->status)) {
    field_put_u32(&fields, TAG_SIGNAL, (uint32_t)WTERMSIG(session->status));
  } else {
    field_put_u32(&fields, TAG_CODE, (uint32_t)WEXITSTATUS(session->status));
  }
  if (oom) field_put_u32(&fields, TAG_OOM, 1);
  uint64_t cpu = microseconds(&session->usage.ru_utime) + microseconds(&session->usage.ru_stime);
  field_put_u64(&fields, TAG_CPU, cpu);
  field_put_u64(&fields, TAG_MAX_RSS, (uint64_t)session->usage.ru_maxrss);
  put_verdicts(&fields, session);
  channel_send(TYPE_EXIT, session->id, fields.data, fields.length);
}
