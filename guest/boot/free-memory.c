#include "boot/free-memory.h"

#include <stdint.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

/* Of more memory than that most was never used, and a machine that computes in software clears 250 MiB a second. */
#define MOST_BYTES (256u * 1024u * 1024u)

/* Asked between two steps, so that what else needs memory meanwhile gets it. */
#define STEP_BYTES (1024u * 1024u)

/* Well above the marks below which the kernel takes back what it has cached, and that is to stay. */
#define LEFT_BYTES (4u * 1024u * 1024u)
#define LEFT_PART 128

/* What may be taken of what is free. */
static uint64_t spare_bytes(void) {
  struct sysinfo info;
  if (sysinfo(&info) != 0) return 0;
  uint64_t free = (uint64_t)info.freeram * info.mem_unit;
  uint64_t left = LEFT_BYTES + (uint64_t)info.totalram * info.mem_unit / LEFT_PART;
  return free > left ? free - left : 0;
}

void free_memory_clear(void) {
  uint64_t most = spare_bytes();
  if (most > MOST_BYTES) most = MOST_BYTES;
  long page = sysconf(_SC_PAGESIZE);
  if (most < STEP_BYTES) return;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  uint8_t *memory = mmap(NULL, most, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (memory == MAP_FAILED) return;
  for (uint64_t at = 0; at + STEP_BYTES <= most && spare_bytes() >= STEP_BYTES; at += STEP_BYTES) {
    /* The kernel clears each page that is touched first, and not when it is given back. */
    for (uint64_t next = at; next < at + STEP_BYTES; next += (uint64_t)page) {
      ((volatile uint8_t *)memory)[next] = 0;
    }
  }
  munmap(memory, most);
}
