#include "control/hello.h"

#include <stdint.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "bytes.h"
#include "channel/channel.h"
#include "channel/loop.h"
#include "fields.h"
#include "log.h"
#include "protocol.h"

#define NAME_MOST 32u

static struct field_writer phases;
static int64_t started;

void hello_start(void) {
  started = now_us();
  phases.length = 0;
}

void hello_phase(const char *name) {
  uint8_t value[8 + NAME_MOST];
  uint64_t since = (uint64_t)(now_us() - started);
  size_t length = strnlen(name, NAME_MOST);
  put_u64(value, since);
  memcpy(value + 8, name, length);
  field_put(&phases, TAG_PHASE, value, 8 + length);
}

void hello_send(void) {
  struct utsname names;
  struct sysinfo info;
  hello_phase("ready");
  struct field_writer fields = phases;
  field_put_u32(&fields, TAG_VERSION, PROTOCOL_VERSION);
  if (uname(&names) == 0) {
    field_put_string(&fields, TAG_KERNEL, names.release);
    field_put_string(&fields, TAG_MACHINE, names.machine);
  }
  if (sysinfo(&info) == 0) {
    field_put_u64(&fields, TAG_MEMORY, (uint64_t)info.totalram * info.mem_unit);
  }
  channel_send(TYPE_HELLO, 0, fields.data, fields.length);
}
