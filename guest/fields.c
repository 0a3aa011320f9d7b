#include "fields.h"

#include <string.h>

#include "bytes.h"

#define FIELD_HEAD 5u

enum field_result field_next(struct field_reader *reader, struct field *field) {
  size_t rest = (size_t)(reader->end - reader->at);
  if (rest == 0) return FIELD_END;
  if (rest < FIELD_HEAD) return FIELD_CUT;
  field->tag = reader->at[0];
  field->length = get_u32(reader->at + 1);
  if (field->length > rest - FIELD_HEAD) return FIELD_CUT;
  field->value = reader->at + FIELD_HEAD;
  reader->at = field->value + field->length;
  return FIELD_FOUND;
}

bool field_u32(const struct field *field, uint32_t *value) {
  if (field->length != 4) return false;
  *value = get_u32(field->value);
  return true;
}

bool field_u64(const struct field *field, uint64_t *value) {
  if (field->length != 8) return false;
  *value = get_u64(field->value);
  return true;
}

bool field_is_string(const struct field *field) {
  return field->length == 0 || memchr(field->value, 0, field->length) == NULL;
}

void field_put(struct field_writer *writer, uint8_t tag, const void *value, size_t length) {
  /* What we write is small and of known size; a field that does not fit is left out, never cut. */
  if (length + FIELD_HEAD > sizeof writer->data - writer->length) return;
  uint8_t *at = writer->data + writer->length;
  at[0] = tag;
  put_u32(at + 1, (uint32_t)length);
  if (length > 0) memcpy(at + FIELD_HEAD, value, length);
  writer->length += FIELD_HEAD + length;
}

void field_put_u32(struct field_writer *writer, uint8_t tag, uint32_t value) {
  uint8_t bytes[4];
  put_u32(bytes, value);
  field_put(writer, tag, bytes, sizeof bytes);
}

void field_put_u64(struct field_writer *writer, uint8_t tag, uint64_t value) {
  uint8_t bytes[8];
  put_u64(bytes, value);
  field_put(writer, tag, bytes, sizeof bytes);
}

void field_put_string(struct field_writer *writer, uint8_t tag, const char *value) {
  field_put(writer, tag, value, strlen(value));
}
