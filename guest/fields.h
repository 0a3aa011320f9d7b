/* Payloads of fields: rows of `u8 tag | u32 length | bytes`. */
#ifndef AGENT_FIELDS_H
#define AGENT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct field {
  uint8_t tag;
  uint32_t length;
  const uint8_t *value;
};

struct field_reader {
  const uint8_t *at;
  const uint8_t *end;
};

enum field_result { FIELD_END, FIELD_FOUND, FIELD_CUT };

enum field_result field_next(struct field_reader *reader, struct field *field);

/* False when the length is not that of the integer. */
bool field_u32(const struct field *field, uint32_t *value);
bool field_u64(const struct field *field, uint64_t *value);

/* False when the bytes hold a NUL. */
bool field_is_string(const struct field *field);

struct field_writer {
  uint8_t data[4096];
  size_t length;
};

void field_put(struct field_writer *writer, uint8_t tag, const void *value, size_t length);
void field_put_u32(struct field_writer *writer, uint8_t tag, uint32_t value);
void field_put_u64(struct field_writer *writer, uint8_t tag, uint64_t value);
void field_put_string(struct field_writer *writer, uint8_t tag, const char *value);

#endif
