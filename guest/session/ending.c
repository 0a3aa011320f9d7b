#include "session/ending.h"

#include <signal.h>

#include "channel/loop.h"
#include "session/stream.h"

/* Deaths that the agent does not hear of are those of processes whose parents live. */
#define LOOK_US 10000

/* A host that has sent SIGKILL and still reads has so long to take what is left. */
#define LAST_OUTPUT_US 1000000

static uint32_t deaths;

void ending_signalled(struct session *session, int signal) {
  if (signal != SIGINT && signal != SIGTERM && signal != SIGKILL) return;
  session->whole = true;
  session->killed |= signal == SIGKILL;
  session->settled = false;
  session->look_at = 0;
}

void ending_look_again(void) { deaths++; }

/* A supervisor lives as long as anything below it does. */
static bool is_empty(struct session *session) {
  int64_t now = now_us();
  if (session->cgroup == NULL) return session->child == 0;
  if (now < session->look_at && session->deaths == deaths) {
    loop_due(session->look_at);
    return false;
  }
  session->deaths = deaths;
  session->look_at = now + LOOK_US;
  if (!cgroup_has_processes(session->cgroup)) return true;
  loop_due(session->look_at);
  return false;
}

void ending_settle(struct session *session) {
  if (session->settled || !session->ended) return;
  if (session->whole && !is_empty(session)) return;
  session->settled = true;
  session->settled_at = now_us();
  outlet_bound(&session->out[0]);
  outlet_bound(&session->out[1]);
}

bool ending_is_due(struct session *session) {
  if (outlet_is_done(&session->out[0]) && outlet_is_done(&session->out[1])) return true;
  if (!session->killed) return false;
  int64_t deadline = session->settled_at + LAST_OUTPUT_US;
  if (now_us() >= deadline) return true;
  loop_due(deadline);
  return false;
}
