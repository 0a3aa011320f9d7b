#include "session/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/end.h"
#include "fields.h"
#include "protocol.h"
#include "session/execute.h"
#include "session/session.h"
#include "session/spawn.h"
#include "session/terminal.h"

struct counts {
  size_t args, envs, bytes;
  const uint8_t *terminal; /* the value of TERMINAL, NULL without one */
};

static bool is_string(uint8_t tag) { return tag >= TAG_ARG && tag <= TAG_USER; }

static void check_once(const struct field *field, uint32_t *seen) {
  if (*seen & 1u << field->tag) agent_fail("EXEC: field %u comes twice", field->tag);
  *seen |= 1u << field->tag;
}

static void check_field(const struct field *field, uint32_t *seen) {
  if (!field_is_string(field)) agent_fail("EXEC: field %u holds a NUL", field->tag);
  if (field->tag == TAG_ENV && memchr(field->value, '=', field->length) == NULL) {
    agent_fail("EXEC: ENV without '='");
  }
  if (field->tag == TAG_CWD && (field->length == 0 || field->value[0] != '/')) {
    agent_fail("EXEC: CWD is not absolute");
  }
  if (field->tag == TAG_CWD || field->tag == TAG_USER) check_once(field, seen);
}

static void check_terminal(const struct field *field, uint32_t *seen) {
  if (field->length != 4) agent_fail("EXEC: TERMINAL of %u bytes", field->length);
  check_once(field, seen);
}

static struct counts check(const struct frame *frame) {
  struct counts counts = {0};
  struct field_reader reader = {frame->payload, frame->payload + frame->length};
  struct field field;
  uint32_t seen = 0;
  enum field_result result;
  while ((result = field_next(&reader, &field)) == FIELD_FOUND) {
    if (field.tag == TAG_TERMINAL) {
      check_terminal(&field, &seen);
      counts.terminal = field.value;
    }
    if (!is_string(field.tag)) continue;
    check_field(&field, &seen);
    counts.bytes += field.length + 1;
    if (field.tag == TAG_ARG) counts.args++;
    if (field.tag == TAG_ENV) counts.envs++;
  }
  if (result == FIELD_CUT) agent_fail("EXEC: a field is cut");
  if (counts.args == 0) agent_fail("EXEC: no ARG");
  return counts;
}

static void fill(const struct frame *frame, struct command *command, char *bytes) {
  struct field_reader reader = {frame->payload, frame->payload + frame->length};
  struct field field;
  char **arg = command->argv, **env = command->envp;
  while (field_next(&reader, &field) == FIELD_FOUND) {
    if (!is_string(field.tag)) continue;
    if (field.length > 0) memcpy(bytes, field.value, field.length);
    bytes[field.length] = 0;
    if (field.tag == TAG_ARG) *arg++ = bytes;
    if (field.tag == TAG_ENV) *env++ = bytes;
    if (field.tag == TAG_CWD) command->cwd = bytes;
    if (field.tag == TAG_USER) command->user = bytes;
    bytes += field.length + 1;
  }
}

void command_start(const struct frame *frame) {
  struct counts counts = check(frame);
  struct session *session = session_open(frame->session, SESSION_EXEC);
  if (session == NULL) return;
  /* Room for a shell before argv, for HOME behind envp, and for both NULLs. */
  size_t pointers = counts.args + counts.envs + 4;
  char **block = calloc(1, pointers * sizeof *block + counts.bytes);
  if (block == NULL) {
    session_abandon(session, ENOMEM, "no memory for the arguments");
    return;
  }
  struct command command = {.argv = block + 1, .envp = block + counts.args + 2, .cwd = "/"};
  fill(frame, &command, (char *)(block + pointers));
  if (counts.terminal != NULL) {
    session->terminal = command.terminal = true;
    session->size = terminal_size(counts.terminal);
  }
  spawn(session, execute, &command);
  free(block);
}
