#include "control/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "boot/machine-id.h"
#include "control/end.h"
#include "fields.h"
#include "log.h"
#include "protocol.h"

#define ENTROPY_MIN 32u
#define ENTROPY_MAX 512u
#define NEAR_NS 500000000u

/* From linux/random.h, which musl does not bring. */
#define ADD_ENTROPY _IOW('R', 0x03, int[2])
#define RESEED _IO('R', 0x07)

struct entropy {
  int bits;
  int size;
  uint8_t bytes[ENTROPY_MAX];
};

/* A clock that runs well is left to run: programs in the guest take a jump for a fault. */
static bool is_near(uint64_t nanoseconds) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  uint64_t own = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
  return (own > nanoseconds ? own - nanoseconds : nanoseconds - own) <= NEAR_NS;
}

static void set_time(uint64_t nanoseconds) {
  if (is_near(nanoseconds)) return;
  struct timespec time = {
      .tv_sec = (time_t)(nanoseconds / 1000000000u),
      .tv_nsec = (long)(nanoseconds % 1000000000u),
  };
  if (clock_settime(CLOCK_REALTIME, &time) != 0) log_line("clock: %s", strerror(errno));
}

static void add_entropy(const struct field *field) {
  struct entropy entropy = {.bits = (int)field->length * 8, .size = (int)field->length};
  memcpy(entropy.bytes, field->value, field->length);
  int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  if (fd < 0 || ioctl(fd, ADD_ENTROPY, &entropy) != 0 || ioctl(fd, RESEED) != 0) {
    log_line("entropy: %s", strerror(errno));
  }
  if (fd >= 0) close(fd);
}

void clock_sync(const struct frame *frame) {
  struct field_reader reader = {frame->payload, frame->payload + frame->length};
  struct field field;
  enum field_result result;
  uint64_t time;
  while ((result = field_next(&reader, &field)) == FIELD_FOUND) {
    if (field.tag == TAG_TIME) {
      if (!field_u64(&field, &time)) agent_fail("SYNC: TIME of %u bytes", field.length);
      set_time(time);
    } else if (field.tag == TAG_ENTROPY) {
      if (field.length < ENTROPY_MIN || field.length > ENTROPY_MAX) {
        agent_fail("SYNC: ENTROPY of %u bytes", field.length);
      }
      add_entropy(&field);
    } else if (field.tag == TAG_MACHINE_ID) {
      if (field.length != MACHINE_ID_BYTES) agent_fail("SYNC: MACHINE_ID of %u bytes", field.length);
      /* Not in a root that is somebody else's. */
      if (agent_is_in_vm()) machine_id_set(field.value);
    }
  }
  if (result == FIELD_CUT) agent_fail("SYNC: a field is cut");
  channel_send(TYPE_SYNC, 0, NULL, 0);
}
