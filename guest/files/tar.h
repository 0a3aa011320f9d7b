/* The tar format: ustar headers, with pax (and on reading GNU) records for what does not fit. */
#ifndef AGENT_TAR_H
#define AGENT_TAR_H

#include <stddef.h>
#include <stdint.h>

#define TAR_BLOCK 512u
#define TAR_FILE '0'
#define TAR_LINK '2'
#define TAR_DIRECTORY '5'
#define TAR_PAX 'x'
#define TAR_PAX_GLOBAL 'g'
#define TAR_GNU_LONG_NAME 'L'
#define TAR_GNU_LONG_LINK 'K'

struct tar_header {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char mtime[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[6];
  char version[2];
  char user[32];
  char group[32];
  char major[8];
  char minor[8];
  char prefix[155];
  char padding[12];
};

_Static_assert(sizeof(struct tar_header) == TAR_BLOCK, "a header is one block");

struct tar_entry {
  const char *path;
  const char *link; /* only of a symbolic link */
  char type;
  uint32_t mode;
  uint32_t uid, gid;
  uint64_t size;
  int64_t mtime; /* seconds since the epoch */
};

/* Bytes that fill the last block of a content of this size. */
static inline size_t tar_padding(uint64_t size) {
  return (size_t)((TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}

/* The sum over the header with its checksum field taken as spaces. */
static inline uint32_t tar_checksum(const struct tar_header *header) {
  const unsigned char *bytes = (const unsigned char *)header;
  size_t from = offsetof(struct tar_header, checksum);
  uint32_t sum = 0;
  for (size_t i = 0; i < TAR_BLOCK; i++) {
    sum += i >= from && i < from + sizeof header->checksum ? ' ' : bytes[i];
  }
  return sum;
}

#endif
