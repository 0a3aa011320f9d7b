#include "files/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "control/end.h"
#include "fields.h"
#include "files/get.h"
#include "files/put.h"
#include "protocol.h"
#include "session/session.h"
#include "session/spawn.h"

static char *copy(const struct field *field) {
  char *text = malloc(field->length + 1);
  if (text == NULL) agent_fail("no memory for a path");
  if (field->length > 0) memcpy(text, field->value, field->length);
  text[field->length] = 0;
  return text;
}

static char *take_string(const struct field *field, const char *before) {
  if (before != NULL) agent_fail("PUT or GET: field %u comes twice", field->tag);
  if (!field_is_string(field)) agent_fail("PUT or GET: field %u holds a NUL", field->tag);
  return copy(field);
}

static void take(const struct field *field, bool is_put, struct transfer *to) {
  bool right = true;
  if (field->tag == TAG_PATH) to->path = take_string(field, to->path);
  if (field->tag == TAG_USER && is_put) to->user = take_string(field, to->user);
  if (field->tag == TAG_MAX_BYTES) right = field_u64(field, &to->max_bytes);
  if (field->tag == TAG_MAX_ENTRIES) right = field_u32(field, &to->max_entries);
  if (field->tag == TAG_FILE && !is_put) right = field_u32(field, &to->is_file);
  if (!right) agent_fail("PUT or GET: field %u of %u bytes", field->tag, field->length);
}

void transfer_start(const struct frame *frame) {
  bool is_put = frame->type == TYPE_PUT;
  struct transfer transfer = {.max_bytes = UINT64_MAX, .max_entries = UINT32_MAX};
  struct field_reader reader = {frame->payload, frame->payload + frame->length};
  struct field field;
  enum field_result result;
  while ((result = field_next(&reader, &field)) == FIELD_FOUND) take(&field, is_put, &transfer);
  if (result == FIELD_CUT) agent_fail("PUT or GET: a field is cut");
  if (transfer.path == NULL || transfer.path[0] != '/') agent_fail("PUT or GET: no absolute PATH");
  struct session *session = session_open(frame->session, is_put ? SESSION_PUT : SESSION_GET);
  if (session != NULL) spawn(session, is_put ? put_files : get_files, &transfer);
  free((char *)transfer.path);
  free((char *)transfer.user);
}
