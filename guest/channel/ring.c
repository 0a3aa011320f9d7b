#include "ring.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static uint8_t ring[RING_BYTES];
/* Counted without wrapping: the difference is what is held. */
static size_t head, tail;

size_t ring_used(void) { return tail - head; }

size_t ring_room(void) { return RING_BYTES - ring_used(); }

void ring_put(const void *bytes, size_t length) {
  size_t at = tail % RING_BYTES;
  size_t first = RING_BYTES - at < length ? RING_BYTES - at : length;
  if (length == 0) return;
  memcpy(ring + at, bytes, first);
  memcpy(ring, (const uint8_t *)bytes + first, length - first);
  tail += length;
}

ssize_t ring_read(int fd, size_t skip, size_t most) {
  size_t at = (tail + skip) % RING_BYTES;
  size_t first = RING_BYTES - at < most ? RING_BYTES - at : most;
  struct iovec parts[2] = {
      {.iov_base = ring + at, .iov_len = first},
      {.iov_base = ring, .iov_len = most - first},
  };
  return readv(fd, parts, most > first ? 2 : 1);
}

void ring_commit(size_t length) { tail += length; }

ssize_t ring_write(int fd) {
  size_t at = head % RING_BYTES;
  size_t length = ring_used();
  if (length > RING_BYTES - at) length = RING_BYTES - at;
  ssize_t written = write(fd, ring + at, length);
  if (written > 0) head += (size_t)written;
  return written;
}
