#include "files/tar-read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session/report.h"

#define BUFFER 65536u
#define RECORDS_MOST (256u * 1024u)

/* What extended headers say of the next entry. */
struct extension {
  char *path;
  char *link;
  bool has_size;
  uint64_t size;
};

static uint8_t buffer[BUFFER];
static size_t start, held;

_Noreturn static void malformed(const char *what) { report_failure(1, EINVAL, "tar: %s", what); }

size_t tar_content(const uint8_t **bytes, uint64_t most) {
  while (held == 0) {
    ssize_t got = read(0, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) report_failure(1, errno, "tar: read");
    if (got == 0) malformed("the stream ends before the archive does");
    start = 0;
    held = (size_t)got;
  }
  size_t length = held < most ? held : (size_t)most;
  *bytes = buffer + start;
  start += length;
  held -= length;
  return length;
}

void tar_skip(uint64_t length) {
  const uint8_t *bytes;
  while (length > 0) length -= tar_content(&bytes, length);
}

static void read_exactly(void *to, size_t length) {
  const uint8_t *bytes;
  for (size_t done = 0; done < length;) {
    size_t got = tar_content(&bytes, length - done);
    memcpy((uint8_t *)to + done, bytes, got);
    done += got;
  }
}

/* Octal digits, or the binary form that GNU uses for what does not fit. */
static uint64_t parse_number(const char *field, size_t size) {
  uint64_t value = 0;
  size_t i = 0;
  if ((unsigned char)field[0] & 0x80) {
    value = (unsigned char)field[0] & 0x3f;
    for (i = 1; i < size; i++) {
      if (value >> 55) malformed("a number is too large");
      value = value << 8 | (unsigned char)field[i];
    }
    return value;
  }
  while (i < size && field[i] == ' ') i++;
  for (; i < size && field[i] >= '0' && field[i] <= '7'; i++) {
    value = value << 3 | (uint64_t)(field[i] - '0');
  }
  if (i < size && field[i] != 0 && field[i] != ' ') malformed("a number is not octal");
  return value;
}

static uint64_t parse_decimal(const char *text) {
  uint64_t value = 0;
  if (*text == 0) malformed("a pax number is empty");
  for (; *text >= '0' && *text <= '9'; text++) {
    if (value > UINT64_MAX / 10 - 1) malformed("a pax number is too large");
    value = value * 10 + (uint64_t)(*text - '0');
  }
  if (*text != 0) malformed("a pax number is none");
  return value;
}

static char *copy(const char *text, size_t length) {
  char *result = malloc(length + 1);
  if (result == NULL) report_failure(1, ENOMEM, "tar: no memory");
  memcpy(result, text, length);
  result[length] = 0;
  return result;
}

static char *read_records(uint64_t size) {
  if (size > RECORDS_MOST) malformed("an extended header is too long");
  char *text = malloc((size_t)size + 1);
  if (text == NULL) report_failure(1, ENOMEM, "tar: no memory");
  read_exactly(text, (size_t)size);
  tar_skip(tar_padding(size));
  text[size] = 0;
  return text;
}

static void replace(char **at, char *text) {
  free(*at);
  *at = text;
}

static void take_record(struct extension *extension, const char *record, size_t length) {
  const char *equals = memchr(record, '=', length);
  if (equals == NULL) malformed("a pax record has no '='");
  size_t name = (size_t)(equals - record);
  char *value = copy(equals + 1, length - name - 1);
  bool is_path = name == 4 && memcmp(record, "path", 4) == 0;
  bool is_link = name == 8 && memcmp(record, "linkpath", 8) == 0;
  if ((is_path || is_link) && strlen(value) != length - name - 1) malformed("a name holds a NUL");
  if (is_path) {
    replace(&extension->path, value);
    return;
  }
  if (is_link) {
    replace(&extension->link, value);
    return;
  }
  if (name == 4 && memcmp(record, "size", 4) == 0) {
    extension->has_size = true;
    extension->size = parse_decimal(value);
  }
  free(value);
}

/* Records of `LENGTH NAME=VALUE\n`, where LENGTH counts all of it; a value may hold a newline. */
static void read_pax(struct extension *extension, uint64_t size) {
  char *text = read_records(size);
  for (size_t at = 0; at < size;) {
    char *space;
    unsigned long length = strtoul(text + at, &space, 10);
    size_t digits = (size_t)(space - (text + at));
    if (digits == 0 || *space != ' ' || length < digits + 3 || length > size - at ||
        text[at + length - 1] != '\n') {
      malformed("a pax record is malformed");
    }
    take_record(extension, space + 1, length - digits - 2);
    at += length;
  }
  free(text);
}

static bool read_header(struct tar_header *header) {
  static const struct tar_header zero;
  read_exactly(header, sizeof *header);
  if (memcmp(header, &zero, sizeof zero) == 0) return false;
  if (parse_number(header->checksum, sizeof header->checksum) != tar_checksum(header)) {
    malformed("a header's checksum is wrong");
  }
  return true;
}

static void forget(struct extension *extension) {
  free(extension->path);
  free(extension->link);
  *extension = (struct extension){.path = NULL};
}

static void fill(struct tar_entry *entry, const struct tar_header *header,
                 const struct extension *extension) {
  static char name[sizeof header->prefix + sizeof header->name + 2];
  static char link[sizeof header->link + 1];
  size_t length = 0;
  /* Only ustar has a prefix; GNU keeps times there. */
  if (memcmp(header->magic, "ustar", 6) == 0) length = strnlen(header->prefix, sizeof header->prefix);
  memcpy(name, header->prefix, length);
  if (length > 0) name[length++] = '/';
  size_t rest = strnlen(header->name, sizeof header->name);
  memcpy(name + length, header->name, rest);
  name[length + rest] = 0;
  memcpy(link, header->link, sizeof header->link);
  link[sizeof link - 1] = 0;
  *entry = (struct tar_entry){
      .path = extension->path != NULL ? extension->path : name,
      .link = extension->link != NULL ? extension->link : link,
      .type = header->type,
      .mode = (uint32_t)parse_number(header->mode, sizeof header->mode),
      .size = extension->has_size ? extension->size
                                  : parse_number(header->size, sizeof header->size),
      .mtime = (int64_t)parse_number(header->mtime, sizeof header->mtime),
  };
  size_t end = strlen(entry->path);
  if (entry->type == 0 || entry->type == '7') entry->type = TAR_FILE;
  /* Before ustar a directory was a file whose name ends so. */
  if (entry->type == TAR_FILE && end > 0 && entry->path[end - 1] == '/') entry->type = TAR_DIRECTORY;
}

bool tar_next(struct tar_entry *entry) {
  static struct extension extension;
  struct tar_header header;
  forget(&extension);
  while (read_header(&header)) {
    uint64_t size = parse_number(header.size, sizeof header.size);
    if (header.type == TAR_PAX) {
      read_pax(&extension, size);
    } else if (header.type == TAR_PAX_GLOBAL) {
      free(read_records(size));
    } else if (header.type == TAR_GNU_LONG_NAME) {
      replace(&extension.path, read_records(size));
    } else if (header.type == TAR_GNU_LONG_LINK) {
      replace(&extension.link, read_records(size));
    } else {
      fill(entry, &header, &extension);
      return true;
    }
  }
  /* What follows the end belongs to the archive too: the host need not find a closed pipe. */
  while (read(0, buffer, sizeof buffer) > 0) continue;
  return false;
}
