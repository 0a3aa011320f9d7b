#include "files/tar-write.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "session/report.h"

#define BUFFER 65536u
#define OCTAL_11_DIGITS 077777777777ull
#define OCTAL_7_DIGITS 07777777u

static uint8_t buffer[BUFFER];
static size_t held;

static void flush(void) {
  for (size_t done = 0; done < held;) {
    ssize_t written = write(1, buffer + done, held - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) report_failure(1, errno, "tar: write");
    done += (size_t)written;
  }
  held = 0;
}

static void put(const void *bytes, size_t length) {
  for (size_t done = 0; done < length;) {
    if (held == sizeof buffer) flush();
    size_t room = sizeof buffer - held;
    size_t part = length - done < room ? length - done : room;
    memcpy(buffer + held, (const uint8_t *)bytes + done, part);
    held += part;
    done += part;
  }
}

static void put_zeros(uint64_t length) {
  static const uint8_t zeros[4 * TAR_BLOCK];
  while (length > 0) {
    size_t part = length < sizeof zeros ? (size_t)length : sizeof zeros;
    put(zeros, part);
    length -= part;
  }
}

static void octal(char *field, size_t size, uint64_t value) {
  snprintf(field, size, "%0*llo", (int)size - 1, (unsigned long long)value);
}

static void put_header(const struct tar_entry *entry, const char *name, const char *link) {
  struct tar_header header = {.type = entry->type, .magic = "ustar", .version = {'0', '0'}};
  bool fits = entry->size <= OCTAL_11_DIGITS;
  uint64_t mtime = entry->mtime < 0 ? 0 : (uint64_t)entry->mtime;
  memcpy(header.name, name, strnlen(name, sizeof header.name));
  memcpy(header.link, link, strnlen(link, sizeof header.link));
  octal(header.mode, sizeof header.mode, entry->mode);
  octal(header.uid, sizeof header.uid, entry->uid > OCTAL_7_DIGITS ? 0 : entry->uid);
  octal(header.gid, sizeof header.gid, entry->gid > OCTAL_7_DIGITS ? 0 : entry->gid);
  octal(header.size, sizeof header.size, fits ? entry->size : 0);
  octal(header.mtime, sizeof header.mtime, mtime > OCTAL_11_DIGITS ? 0 : mtime);
  octal(header.checksum, sizeof header.checksum - 1, tar_checksum(&header));
  header.checksum[sizeof header.checksum - 1] = ' ';
  put(&header, sizeof header);
}

/* The length in front counts itself. */
static size_t record_length(const char *name, const char *value) {
  size_t rest = strlen(name) + strlen(value) + 3;
  size_t length = rest + 1;
  for (;;) {
    size_t counted = rest + (size_t)snprintf(NULL, 0, "%zu", length);
    if (counted == length) return length;
    length = counted;
  }
}

static void put_record(const char *name, const char *value) {
  char number[24];
  int digits = snprintf(number, sizeof number, "%zu ", record_length(name, value));
  put(number, (size_t)digits);
  put(name, strlen(name));
  put("=", 1);
  put(value, strlen(value));
  put("\n", 1);
}

static void put_extension(const char *path, const char *link, const char *size) {
  struct tar_entry extension = {.type = TAR_PAX, .mode = 0644};
  if (path != NULL) extension.size += record_length("path", path);
  if (link != NULL) extension.size += record_length("linkpath", link);
  if (size != NULL) extension.size += record_length("size", size);
  if (extension.size == 0) return;
  put_header(&extension, "PaxHeader", "");
  if (path != NULL) put_record("path", path);
  if (link != NULL) put_record("linkpath", link);
  if (size != NULL) put_record("size", size);
  put_zeros(tar_padding(extension.size));
}

/* A pax record also for what is not ASCII: there its encoding is defined. */
static bool is_plain(const char *text, size_t most) {
  if (strlen(text) > most) return false;
  for (; *text != 0; text++) {
    if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e) return false;
  }
  return true;
}

void tar_entry(const struct tar_entry *entry) {
  char size[24];
  const char *link = entry->link == NULL ? "" : entry->link;
  bool long_path = !is_plain(entry->path, sizeof((struct tar_header *)0)->name);
  bool long_link = !is_plain(link, sizeof((struct tar_header *)0)->link);
  bool large = entry->size > OCTAL_11_DIGITS;
  snprintf(size, sizeof size, "%llu", (unsigned long long)entry->size);
  put_extension(long_path ? entry->path : NULL, long_link ? link : NULL, large ? size : NULL);
  put_header(entry, entry->path, link);
}

void tar_file(int fd, uint64_t size) {
  uint64_t left = size;
  while (left > 0) {
    if (held == sizeof buffer) flush();
    size_t room = sizeof buffer - held;
    ssize_t got = read(fd, buffer + held, left < room ? (size_t)left : room);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) report_failure(1, errno, "tar: read");
    if (got == 0) break;
    held += (size_t)got;
    left -= (uint64_t)got;
  }
  /* The file has shrunk: its header is already on the way. */
  put_zeros(left + tar_padding(size));
}

void tar_end(void) {
  put_zeros(2 * TAR_BLOCK);
  flush();
}
