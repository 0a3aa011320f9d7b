/* Archives as the host sends them, damaged, through the agent's reader. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "files/tar-read.h"
#include "harness.h"

#define ARCHIVE_MOST (64u * 1024u)
#define ENTRIES_MOST 100000u

static uint8_t archive[ARCHIVE_MOST];
static size_t length;
static size_t records_at; /* the last ones of pax; 0 when there are none */

static void seal(struct tar_header *header) {
  snprintf(header->checksum, sizeof header->checksum, "%06o", tar_checksum(header));
  header->checksum[7] = ' ';
}

static struct tar_header *put_header(char type, size_t size, const char *name) {
  struct tar_header *header = (struct tar_header *)(archive + length);
  memset(header, 0, sizeof *header);
  snprintf(header->name, sizeof header->name, "%s", name);
  memcpy(header->mode, "0000644", 8);
  snprintf(header->size, sizeof header->size, "%011o", (unsigned)size);
  snprintf(header->mtime, sizeof header->mtime, "%011o", 1000000000u);
  memcpy(header->magic, "ustar", 6);
  memcpy(header->version, "00", 2);
  header->type = type;
  seal(header);
  length += sizeof *header;
  return header;
}

static void put_content(const void *bytes, size_t size) {
  memset(archive + length, 0, size + tar_padding(size));
  memcpy(archive + length, bytes, size);
  length += size + tar_padding(size);
}

static void put_pax(void) {
  static const char *const records[] = {"22 path=some/long/name\n", "16 linkpath=aim\n", "10 size=9\n",
                                        "20 mtime=1234567890\n"};
  const char *text = records[random_below(4)];
  put_header(random_below(8) == 0 ? TAR_PAX_GLOBAL : TAR_PAX, strlen(text), "pax");
  records_at = length;
  put_content(text, strlen(text));
}

static void put_entry(void) {
  static const char types[] = {TAR_FILE, TAR_LINK, TAR_DIRECTORY, '7', 0, TAR_GNU_LONG_NAME, TAR_GNU_LONG_LINK};
  uint8_t content[1500];
  char type = types[random_below(sizeof types)];
  size_t size = type == TAR_LINK || type == TAR_DIRECTORY ? 0 : random_below(sizeof content);
  memset(content, 'c', sizeof content);
  if (random_below(3) == 0) put_pax();
  struct tar_header *header = put_header(type, size, "folder/name");
  if (random_below(4) == 0) memcpy(header->prefix, "prefix", 6);
  if (type == TAR_LINK) memcpy(header->link, "target", 6);
  seal(header);
  put_content(content, size);
}

/* Damage inside of a header is mostly undone by the checksum: one that is right again gets further. */
static void damage_header(void) {
  size_t block = random_below((uint32_t)(length / TAR_BLOCK)) * TAR_BLOCK;
  struct tar_header *header = (struct tar_header *)(archive + block);
  for (uint32_t i = 1 + random_below(3); i > 0; i--) {
    archive[block + random_below(TAR_BLOCK)] = (uint8_t)random_below(256);
  }
  seal(header);
}

/* Numbers and names of a record, within what it is made of. */
static void damage_records(void) {
  static const char characters[] = "0123456789 =\n-x";
  for (uint32_t i = 1 + random_below(3); i > 0; i--) {
    archive[records_at + random_below(24)] = (uint8_t)characters[random_below(sizeof characters)];
  }
}

static void make_archive(void) {
  length = records_at = 0;
  for (uint32_t i = 1 + random_below(5); i > 0; i--) put_entry();
  memset(archive + length, 0, 2 * TAR_BLOCK);
  length += 2 * TAR_BLOCK;
  uint32_t kind = random_below(3);
  if (kind == 0) damage_header();
  else if (kind == 1 && records_at > 0) damage_records();
  else length = damage(archive, length, sizeof archive);
}

/* The reader reads standard input. */
static void put_on_input(void) {
  static int file = -1;
  if (file < 0) {
    file = memfd_create("archive", MFD_CLOEXEC);
    if (file < 0 || dup2(file, STDIN_FILENO) < 0) harness_fail("memfd");
  }
  if (ftruncate(file, 0) != 0 || pwrite(file, archive, length, 0) != (ssize_t)length ||
      lseek(file, 0, SEEK_SET) != 0) {
    harness_fail("archive");
  }
}

/* As put.c does, to nowhere; each string is read to its end. */
bool read_archive(void) {
  struct tar_entry entry;
  make_archive();
  put_on_input();
  tar_reset();
  if (setjmp(case_end) != 0) return false;
  for (uint32_t count = 0; tar_next(&entry); count++) {
    if (count > ENTRIES_MOST) harness_fail("an archive without end");
    if (strlen(entry.path) + strlen(entry.link) > 2u * 256u * 1024u) harness_fail("a name too long");
    if (entry.type == TAR_FILE) {
      tar_skip(entry.size);
      tar_skip(tar_padding(entry.size));
    }
  }
  return true;
}
