/* What the agent may send: sound frames, within credit, one EXIT a session. */
#include <string.h>

#include "bytes.h"
#include "harness.h"
#include "protocol.h"

#define SESSIONS_SEEN 64u

static uint8_t held[FRAME_LENGTH_BYTES + FRAME_MAX_LENGTH];
static size_t held_length;
static bool exited[SESSIONS_SEEN];
static bool still;

void output_reset(void) {
  held_length = 0;
  memset(exited, 0, sizeof exited);
  still = false;
}

static bool is_of_channel(uint8_t type) {
  return type == TYPE_SYNC || type == TYPE_PONG || type == TYPE_SHUTDOWN || type == TYPE_ERROR ||
         type == TYPE_SUSPEND || type == TYPE_HELLO;
}

static bool is_of_session(uint8_t type) {
  return type == TYPE_STDOUT || type == TYPE_STDERR || type == TYPE_EXIT || type == TYPE_WINDOW;
}

static void check(uint8_t type, uint32_t session) {
  if (!is_of_channel(type) && !is_of_session(type)) harness_fail("a frame that no guest sends");
  if (is_of_channel(type) != (session == 0)) harness_fail("a frame for the wrong session");
  /* Between SUSPEND and HELLO it says nothing, but why it ends. */
  if (still != (type == TYPE_HELLO) && type != TYPE_ERROR) harness_fail("HELLO or another frame at the wrong time");
  if (type == TYPE_SUSPEND || type == TYPE_HELLO) {
    still = type == TYPE_SUSPEND;
    memset(exited, 0, sizeof exited);
  }
  if (session == 0 || session >= SESSIONS_SEEN) return;
  if (exited[session]) harness_fail("a frame of a session after its EXIT");
  exited[session] = type == TYPE_EXIT;
}

void output_take(const uint8_t *bytes, size_t length) {
  if (length > sizeof held - held_length) harness_fail("a frame without end");
  memcpy(held + held_length, bytes, length);
  held_length += length;
  size_t at = 0;
  while (held_length - at >= FRAME_LENGTH_BYTES) {
    uint32_t size = get_u32(held + at);
    if (size < FRAME_MIN_LENGTH || size > FRAME_MAX_LENGTH) harness_fail("a frame of no length");
    if (held_length - at < FRAME_LENGTH_BYTES + size) break;
    check(held[at + 4], get_u32(held + at + 5));
    at += FRAME_LENGTH_BYTES + size;
  }
  held_length -= at;
  if (at > 0) memmove(held, held + at, held_length);
}
