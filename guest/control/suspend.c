#include "control/suspend.h"

#include <string.h>

#include "boot/boot.h"
#include "control/end.h"
#include "control/hello.h"
#include "control/shutdown.h"
#include "fields.h"
#include "protocol.h"
#include "session/reap.h"
#include "session/session.h"

#define REAP_MS 5000

static enum { RUNNING, STOPPING, STILL } state;

bool suspend_has_begun(void) { return state != RUNNING; }

void suspend_begin(const struct frame *frame) {
  if (frame->length != 0) agent_fail("SUSPEND of %zu bytes, not 0", frame->length);
  if (!boot_may_suspend()) agent_fail("SUSPEND is not for this guest");
  if (shutdown_has_begun()) agent_fail("SUSPEND after SHUTDOWN");
  if (sessions_are_open()) agent_fail("SUSPEND while a session is open");
  state = STOPPING;
}

/* Not at once: what of the channel has not been read yet would be saved too. */
void suspend_step(void) {
  if (state != STOPPING) return;
  if (channel_holds_bytes()) agent_fail("SUSPEND, and more before its answer");
  if (!reap_everything(REAP_MS)) agent_fail("SUSPEND: some process does not die");
  sessions_sweep();
  if (sessions_running()) agent_fail("SUSPEND: something is left of a session");
  boot_suspend();
  state = STILL;
  channel_send(TYPE_SUSPEND, 0, NULL, 0);
}

static void take(const struct field *field, char *to, size_t size) {
  if (to[0] != 0) agent_fail("START: field %u comes twice", field->tag);
  if (field->length == 0 || field->length >= size) {
    agent_fail("START: field %u of %u bytes", field->tag, field->length);
  }
  if (!field_is_string(field)) agent_fail("START: field %u holds a NUL", field->tag);
  memcpy(to, field->value, field->length);
  to[field->length] = 0;
}

static void take_device(const struct field *field, char *to, size_t size) {
  take(field, to, size);
  if (strncmp(to, "/dev/", 5) != 0) agent_fail("START: field %u is no device", field->tag);
}

void suspend_end(const struct frame *frame) {
  struct field_reader reader = {frame->payload, frame->payload + frame->length};
  struct options options = {.root = ""};
  struct field field;
  enum field_result result;
  if (state != STILL) agent_fail("START, and the guest does not stand still");
  hello_start();
  while ((result = field_next(&reader, &field)) == FIELD_FOUND) {
    if (field.tag == TAG_HOST) take(&field, options.host, sizeof options.host);
    if (field.tag == TAG_UPPER) take_device(&field, options.upper, sizeof options.upper);
    if (field.tag == TAG_PERSIST) take_device(&field, options.persist, sizeof options.persist);
  }
  if (result == FIELD_CUT) agent_fail("START: a field is cut");
  boot_start(&options);
  state = RUNNING;
  hello_send();
}
