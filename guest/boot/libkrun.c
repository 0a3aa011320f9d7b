#include "boot/libkrun.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/names.h"
#include "boot/network.h"
#include "boot/port.h"
#include "boot/tree.h"
#include "channel/channel.h"
#include "control/end.h"
#include "control/hello.h"
#include "log.h"

#define NAME "/.agent"

static const struct {
  const char *port;
  int flags;
} streams[] = {{"krun-stdin", O_RDONLY}, {"krun-stdout", O_WRONLY}, {"krun-stderr", O_WRONLY}};

static int lost;

bool libkrun_is_here(const char *name) { return name != NULL && strcmp(name, NAME) == 0; }

static bool is_pipe(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode));
}

static void put_at(int number, int fd) {
  if (fd == number) {
    fcntl(fd, F_SETFD, 0);
  } else {
    dup2(fd, number);
    close(fd);
  }
}

/*
 * libkrun's init looks for the ports once. Where the console comes up late it finds some without a
 * name, or closes again what it has just opened: seen with 1.17.4, once in 100 slow starts.
 */
void libkrun_find_streams(void) {
  if (is_pipe(STDIN_FILENO) && is_pipe(STDOUT_FILENO)) return;
  if (!ports_are_here()) return;
  for (int i = 0; i < 3; i++) {
    if (port_is(i, streams[i].port)) continue;
    int fd = port_await(streams[i].port, streams[i].flags);
    /* At a terminal there are none. */
    if (fd < 0) return;
    put_at(i, fd);
    lost++;
  }
}

/* A host that does not read them must not stop the agent: the lines are lost. */
static void open_log(void) {
  int flags = fcntl(STDERR_FILENO, F_GETFL);
  if (flags >= 0) fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
}

void libkrun_enter(void) {
  agent_set_in_vm();
  umask(022);
  open_log();
  if (lost > 0) log_line("opened %d ports that libkrun's init had not", lost);
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
