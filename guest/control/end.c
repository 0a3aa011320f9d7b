#include "control/end.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "channel/channel.h"
#include "log.h"
#include "protocol.h"
#include "session/session.h"

#define LAST_WORDS_MS 2000

static bool is_init, is_in_vm;

bool agent_is_init(void) { return is_init; }

void agent_set_init(void) { is_init = is_in_vm = true; }

bool agent_is_in_vm(void) { return is_in_vm; }

void agent_set_in_vm(void) { is_in_vm = true; }

_Noreturn void agent_fail(const char *format, ...) {
  static bool failing;
  char reason[400];
  va_list values;
  va_start(values, format);
  vsnprintf(reason, sizeof reason, format, values);
  va_end(values);
  log_line("failed: %s", reason);
  if (!failing && channel_has_room()) {
    failing = true;
    channel_send(TYPE_ERROR, 0, reason, strlen(reason));
    channel_drain(LAST_WORDS_MS);
  }
  agent_end(1);
}

_Noreturn void agent_host_gone(void) {
  log_line("the host closed the channel");
  agent_end(0);
}

_Noreturn void agent_end(int code) {
  if (!is_init) {
    sessions_kill();
    _exit(code);
  }
  /* Nothing may write any more while the disks are synced, or that would never end. */
  kill(-1, SIGKILL);
  sync();
  log_line("power off");
  reboot(RB_POWER_OFF);
  /* Ending init makes the kernel panic, which ends the machine too. */
  _exit(code);
}
