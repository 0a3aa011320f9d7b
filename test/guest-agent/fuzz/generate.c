/* Streams of frames as a host sends them, some of them damaged. */
#include <string.h>

#include "bytes.h"
#include "harness.h"
#include "protocol.h"

#define PAYLOAD_MOST 300000u
#define USUAL_MOST 4096u

struct payload {
  uint8_t bytes[PAYLOAD_MOST + USUAL_MOST];
  size_t length;
};

static uint32_t opened;
static bool still;

static void put_field(struct payload *to, uint8_t tag, const void *value, size_t length) {
  to->bytes[to->length] = tag;
  put_u32(to->bytes + to->length + 1, (uint32_t)length);
  memcpy(to->bytes + to->length + 5, value, length);
  to->length += 5 + length;
}

static void put_text(struct payload *to, uint8_t tag, const char *text) {
  put_field(to, tag, text, strlen(text));
}

static void put_some_u32(struct payload *to, uint8_t tag) {
  uint8_t value[4];
  put_u32(value, random_below(1000));
  put_field(to, tag, value, sizeof value);
}

static void make_exec(struct payload *to) {
  static const char *const words[] = {"true", "cat", "-n", "", "sh", "/no/such", "\xc3\xbc"};
  for (uint32_t i = 1 + random_below(4); i > 0; i--) put_text(to, TAG_ARG, words[random_below(7)]);
  for (uint32_t i = random_below(3); i > 0; i--) put_text(to, TAG_ENV, "NAME=value");
  if (random_below(2) == 0) put_text(to, TAG_CWD, "/tmp");
  if (random_below(2) == 0) put_text(to, TAG_USER, "root:0");
  if (random_below(8) == 0) put_some_u32(to, TAG_TERMINAL);
}

static void make_transfer(struct payload *to) {
  uint8_t most[8] = {0, 0, 1};
  put_text(to, TAG_PATH, "/tmp/of/the/fuzzer");
  if (random_below(2) == 0) put_field(to, TAG_MAX_BYTES, most, sizeof most);
  if (random_below(2) == 0) put_some_u32(to, TAG_MAX_ENTRIES);
  if (random_below(2) == 0) put_some_u32(to, TAG_FILE);
  if (random_below(2) == 0) put_text(to, TAG_USER, "1000:1000");
}

static void make_sync(struct payload *to) {
  uint8_t bytes[512] = {0};
  if (random_below(2) == 0) put_field(to, TAG_TIME, bytes, 8);
  if (random_below(2) == 0) put_field(to, TAG_ENTROPY, bytes, 32 + random_below(481));
  if (random_below(2) == 0) put_field(to, TAG_MACHINE_ID, bytes, 16);
}

static void make_start(struct payload *to) {
  static const char longest[] = "a-host-name-of-65-bytes-which-is-one-more-than-any-kernel-takes--";
  if (random_below(16) == 0) put_field(to, TAG_HOST, longest, random_below(sizeof longest));
  else if (random_below(4) != 0) put_text(to, TAG_HOST, "python-abc12345");
  if (random_below(2) == 0) put_text(to, TAG_UPPER, "/dev/vdb");
  if (random_below(2) == 0) put_text(to, TAG_PERSIST, "/dev/vdc");
}

static void make_bytes(struct payload *to, uint32_t length) {
  random_fill(to->bytes, length < USUAL_MOST ? length : USUAL_MOST);
  to->length = length;
}

static void make_signal(struct payload *to) {
  to->bytes[0] = (uint8_t)(1 + random_below(64));
  to->bytes[1] = (uint8_t)random_below(2);
  to->length = 2;
}

static void make_window(struct payload *to) {
  to->bytes[0] = (uint8_t)(1 + random_below(2));
  put_u32(to->bytes + 1, random_below(1000000));
  to->length = 5;
}

/* Mostly little; now and then more than the credit. */
static uint32_t input_length(void) {
  if (random_below(8) != 0) return random_below(40);
  return random_below(4) == 0 ? PAYLOAD_MOST - random_below(200000) : random_below(USUAL_MOST);
}

/* The payload of a sound frame of that type. */
static void make_payload(uint8_t type, struct payload *to) {
  to->length = 0;
  if (type == TYPE_EXEC) make_exec(to);
  if (type == TYPE_PUT || type == TYPE_GET) make_transfer(to);
  if (type == TYPE_SYNC) make_sync(to);
  if (type == TYPE_START) make_start(to);
  if (type == TYPE_STDIN) make_bytes(to, input_length());
  if (type == TYPE_SIGNAL) make_signal(to);
  if (type == TYPE_RESIZE) make_bytes(to, 4);
  if (type == TYPE_WINDOW) make_window(to);
  if (type == TYPE_PING) make_bytes(to, 8);
  if (type == TYPE_SHUTDOWN && random_below(2) == 0) put_some_u32(to, TAG_GRACE);
}

static uint8_t some_type(void) {
  static const uint8_t types[] = {TYPE_EXEC,   TYPE_EXEC,  TYPE_STDIN,  TYPE_STDIN, TYPE_STDIN_EOF,
                                  TYPE_SIGNAL, TYPE_RESIZE, TYPE_WINDOW, TYPE_PUT,   TYPE_GET,
                                  TYPE_SYNC,   TYPE_PING};
  if (still && random_below(8) != 0) return TYPE_START;
  /* Mostly where nothing is open. */
  if (random_below(opened == 0 ? 6 : 100) == 0) return TYPE_SUSPEND;
  /* Seldom, as nothing can be opened after it. */
  if (random_below(40) == 0) return TYPE_SHUTDOWN;
  return opened == 0 ? TYPE_EXEC : types[random_below(sizeof types)];
}

static bool is_of_channel(uint8_t type) {
  return type == TYPE_SYNC || type == TYPE_PING || type == TYPE_SHUTDOWN || type == TYPE_SUSPEND ||
         type == TYPE_START;
}

static uint32_t session_for(uint8_t type) {
  if (type == TYPE_EXEC || type == TYPE_PUT || type == TYPE_GET) return ++opened;
  if (type == TYPE_START) opened = 0;
  if (type == TYPE_SUSPEND || type == TYPE_START) still = type == TYPE_SUSPEND;
  if (is_of_channel(type)) return 0;
  return 1 + random_below(opened);
}

static size_t write_frame(uint8_t *at, uint8_t type, uint32_t session, const struct payload *from) {
  put_u32(at, (uint32_t)(FRAME_MIN_LENGTH + from->length));
  at[4] = type;
  put_u32(at + 5, session);
  memcpy(at + FRAME_HEAD_BYTES, from->bytes, from->length);
  return FRAME_HEAD_BYTES + from->length;
}

/* Behind a right length the damage is in the payload, which gets further than damage to the frame. */
static size_t write_damaged(uint8_t *at, uint8_t type, uint32_t session, struct payload *payload) {
  uint32_t kind = random_below(10);
  if (kind == 0) type = (uint8_t)random_below(24);
  if (kind == 1) session = random_below(2) == 0 ? random_below(opened + 3) : random_below(0xffffffffu);
  if (kind == 2) make_bytes(payload, random_below(200));
  if (kind > 2 && kind < 8) payload->length = damage(payload->bytes, payload->length, sizeof payload->bytes);
  size_t length = write_frame(at, type, session, payload);
  return kind < 8 ? length : damage(at, length, length + 256);
}

struct stream_made make_stream(uint8_t *bytes) {
  static struct payload payload;
  struct stream_made made = {0};
  uint32_t wanted = 1 + random_below(FRAMES_MOST);
  opened = 0;
  still = false;
  while (made.frames < wanted) {
    uint8_t *at = bytes + made.length;
    uint8_t type = some_type();
    make_payload(type, &payload);
    uint32_t session = session_for(type);
    bool damaged = random_below(2) == 0;
    made.length += damaged ? write_damaged(at, type, session, &payload)
                           : write_frame(at, type, session, &payload);
    if (type == TYPE_SUSPEND) made.pause = made.length;
    made.frames++;
    made.damaged[made.frames] = made.damaged[made.frames - 1] + damaged;
  }
  return made;
}
