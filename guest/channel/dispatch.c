#include "channel/dispatch.h"

#include <errno.h>

#include "bytes.h"
#include "control/clock.h"
#include "control/end.h"
#include "control/shutdown.h"
#include "control/suspend.h"
#include "files/transfer.h"
#include "protocol.h"
#include "session/command.h"
#include "session/session.h"
#include "session/stream.h"
#include "session/terminal.h"

#define SIGNAL_MOST 64

static bool serves_sessions;
static uint32_t last_session;

void dispatch_open(bool with_sessions) { serves_sessions = with_sessions; }

static void need_length(const struct frame *frame, const char *name, size_t length) {
  if (frame->length != length) {
    agent_fail("%s of %zu bytes, not %zu", name, frame->length, length);
  }
}

static void open_session(const struct frame *frame) {
  if (frame->session <= last_session) {
    agent_fail("session %u opened after %u", frame->session, last_session);
  }
  last_session = frame->session;
  uint32_t code = frame->type == TYPE_EXEC ? 125 : 1;
  if (!serves_sessions) session_refuse(frame->session, code, ENOSYS, "agent: no root file system");
  else if (shutdown_has_begun()) session_refuse(frame->session, code, ESHUTDOWN, "agent: shutdown");
  else if (frame->type == TYPE_EXEC) command_start(frame);
  else transfer_start(frame);
}

static void signal_session(struct session *session, const uint8_t *payload) {
  if (payload[0] < 1 || payload[0] > SIGNAL_MOST) agent_fail("SIGNAL %u is unknown", payload[0]);
  if (payload[1] > 1) agent_fail("SIGNAL scope %u is unknown", payload[1]);
  session_signal(session, payload[0], payload[1] == 1);
}

static void resize(struct session *session, const uint8_t *payload) {
  struct winsize size = terminal_size(payload);
  session_resize(session, &size);
}

static void add_credit(struct session *session, const uint8_t *payload) {
  uint32_t more = get_u32(payload + 1);
  if (payload[0] != STREAM_STDOUT && payload[0] != STREAM_STDERR) {
    agent_fail("WINDOW for stream %u", payload[0]);
  }
  struct outlet *outlet = &session->out[payload[0] - STREAM_STDOUT];
  if (more > UINT32_MAX - outlet->credit) agent_fail("WINDOW beyond 32 bits");
  outlet->credit += more;
}

/* Frames of a session that is open; for one that has ended they are dropped, but still checked. */
static void in_session(const struct frame *frame) {
  if (frame->type == TYPE_STDIN_EOF) need_length(frame, "STDIN_EOF", 0);
  if (frame->type == TYPE_SIGNAL) need_length(frame, "SIGNAL", 2);
  if (frame->type == TYPE_RESIZE) need_length(frame, "RESIZE", 4);
  if (frame->type == TYPE_WINDOW) need_length(frame, "WINDOW", 5);
  if (frame->session == 0 || frame->session > last_session) {
    agent_fail("type %u for session %u, which was never opened", frame->type, frame->session);
  }
  struct session *session = session_find(frame->session);
  if (session == NULL) return;
  if (frame->type == TYPE_STDIN) inlet_receive(session, frame->payload, frame->length);
  if (frame->type == TYPE_STDIN_EOF) inlet_end(session);
  if (frame->type == TYPE_SIGNAL) signal_session(session, frame->payload);
  if (frame->type == TYPE_RESIZE) resize(session, frame->payload);
  if (frame->type == TYPE_WINDOW) add_credit(session, frame->payload);
}

static void on_channel(const struct frame *frame) {
  if (frame->session != 0) agent_fail("type %u for session %u", frame->type, frame->session);
  if (frame->type == TYPE_PING) {
    need_length(frame, "PING", 8);
    channel_send(TYPE_PONG, 0, frame->payload, frame->length);
  }
  if (frame->type == TYPE_SYNC) clock_sync(frame);
  if (frame->type == TYPE_SHUTDOWN) shutdown_begin(frame);
  if (frame->type == TYPE_SUSPEND) suspend_begin(frame);
  if (frame->type == TYPE_START) {
    suspend_end(frame);
    last_session = 0;
  }
}

void dispatch(const struct frame *frame) {
  if (suspend_has_begun() && frame->type != TYPE_START) {
    agent_fail("type %u for a guest that stands still", frame->type);
  }
  switch (frame->type) {
    case TYPE_EXEC:
    case TYPE_PUT:
    case TYPE_GET:
      open_session(frame);
      break;
    case TYPE_STDIN:
    case TYPE_STDIN_EOF:
    case TYPE_SIGNAL:
    case TYPE_RESIZE:
    case TYPE_WINDOW:
      in_session(frame);
      break;
    case TYPE_SYNC:
    case TYPE_PING:
    case TYPE_SHUTDOWN:
    case TYPE_SUSPEND:
    case TYPE_START:
      on_channel(frame);
      break;
    default:
      agent_fail("type %u is unknown, or not for the guest", frame->type);
  }
}
