#include "boot/libkrun.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/names.h"
#include "boot/network.h"
#include "boot/tree.h"
#include "channel/channel.h"
#include "control/end.h"
#include "control/hello.h"
#include "log.h"

#define NAME "/.agent"

bool libkrun_is_here(const char *name) { return name != NULL && strcmp(name, NAME) == 0; }

/* A host that does not read them must not stop the agent: the lines are lost. */
static void open_log(void) {
  int flags = fcntl(STDERR_FILENO, F_GETFL);
  if (flags >= 0) fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
}

void libkrun_enter(void) {
  umask(022);
  open_log();
  channel_open(STDIN_FILENO, STDOUT_FILENO);
  hello_phase("channel");
  network_up_loopback();
  int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) agent_fail("open root: %s", strerror(errno));
  tree_complete(root);
  close(root);
  names_keep();
  hello_phase("root");
  log_line("ready");
}
