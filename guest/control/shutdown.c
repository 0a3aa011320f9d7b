#include "control/shutdown.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot/disks.h"
#include "channel/loop.h"
#include "control/end.h"
#include "fields.h"
#include "log.h"
#include "protocol.h"
#include "session/cgroup.h"
#include "session/session.h"

#define DEFAULT_GRACE_MS 2000u
#define GRACE_MOST_MS 600000u
#define KILL_MS 5000
#define LAST_WORDS_MS 2000

static enum { RUNNING, TERMINATING, KILLING } state;
static int64_t deadline;

bool shutdown_has_begun(void) { return state != RUNNING; }

static void signal_everything(int signal) {
  if (agent_is_init()) kill(-1, signal);
  else sessions_signal(signal);
}

/* As init every process of the guest is a descendant of ours. */
static bool nothing_runs(void) {
  siginfo_t info;
  if (!agent_is_init()) return !sessions_running();
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
}

void shutdown_begin(const struct frame *frame) {
  struct field_reader reader = {frame->payload, frame->payload + frame->length};
  struct field field;
  enum field_result result;
  uint32_t grace = DEFAULT_GRACE_MS;
  while ((result = field_next(&reader, &field)) == FIELD_FOUND) {
    if (field.tag == TAG_GRACE && !field_u32(&field, &grace)) {
      agent_fail("SHUTDOWN: GRACE of %u bytes", field.length);
    }
  }
  if (result == FIELD_CUT) agent_fail("SHUTDOWN: a field is cut");
  if (shutdown_has_begun()) return;
  if (grace > GRACE_MOST_MS) grace = GRACE_MOST_MS;
  log_line("shutdown, grace %u ms", grace);
  state = TERMINATING;
  deadline = now_ms() + grace;
  signal_everything(SIGTERM);
  /* A stopped process could not even end itself. */
  signal_everything(SIGCONT);
}

_Noreturn static void finish(void) {
  sessions_close();
  cgroup_close();
  if (agent_is_init()) disks_close();
  else sync();
  channel_send(TYPE_SHUTDOWN, 0, NULL, 0);
  channel_drain(LAST_WORDS_MS);
  agent_end(0);
}

void shutdown_step(void) {
  if (state == RUNNING) return;
  if (nothing_runs()) finish();
  if (now_ms() < deadline) return;
  if (state == KILLING) {
    log_line("some process does not die");
    finish();
  }
  state = KILLING;
  deadline = now_ms() + KILL_MS;
  signal_everything(SIGKILL);
}
