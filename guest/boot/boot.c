#include "boot/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "boot/block.h"
#include "boot/disks.h"
#include "boot/free-memory.h"
#include "boot/modules.h"
#include "boot/names.h"
#include "boot/network.h"
#include "boot/options.h"
#include "boot/port.h"
#include "boot/root.h"
#include "channel/channel.h"
#include "control/end.h"
#include "control/hello.h"
#include "log.h"

static struct options options;

static void mount_early(const char *type, const char *path) {
  mkdir(path, 0755);
  /* Some kernels mount devtmpfs themselves. */
  if (mount(type, path, type, 0, NULL) != 0 && errno != EBUSY) {
    agent_fail("mount %s: %s", path, strerror(errno));
  }
}

static void open_console(void) {
  int console = open("/dev/console", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (console >= 0) log_to(console);
  struct timespec up;
  clock_gettime(CLOCK_BOOTTIME, &up);
  log_line("start, kernel up %ld.%03ld s", (long)up.tv_sec, up.tv_nsec / 1000000);
}

bool boot(void) {
  umask(022);
  mount_early("devtmpfs", "/dev");
  open_console();
  mount_early("proc", "/proc");
  mount_early("sysfs", "/sys");
  modules_load();
  hello_phase("modules");
  int port = port_open();
  channel_open(port, port);
  hello_phase("channel");
  /* From here on a failure reaches the host too. */
  options_read(&options);
  unlink("/init");
  network_up_loopback();
  if (options.root[0] == 0) {
    log_line("no agent.root: probe");
    return false;
  }
  root_enter(&options);
  hello_phase("root");
  names_set(&options);
  if (options.net[0] != 0) network_up(options.net);
  hello_phase("network");
  log_line("ready");
  return true;
}

bool boot_may_suspend(void) { return root_may_change(); }

void boot_suspend(void) {
  if (options.persist[0] != 0) disks_unmount_persist();
  options.persist[0] = 0;
  block_unbind_others(root_below(), options.root);
  free_memory_clear();
  log_line("stands still");
}

void boot_start(const struct options *given) {
  memcpy(options.host, given->host, sizeof options.host);
  memcpy(options.persist, given->persist, sizeof options.persist);
  if (given->upper[0] != 0) memcpy(options.upper, given->upper, sizeof options.upper);
  block_bind(root_below(), given->upper[0] != 0, given->persist[0] != 0);
  hello_phase("disks");
  root_change(&options);
  hello_phase("root");
  names_set(&options);
  log_line("started");
}
