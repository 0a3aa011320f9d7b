#include "boot/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "control/end.h"
#include "log.h"

#define ORDER "/modules/order"

/* One that cannot be loaded is not the end: what needed it says so later, after this line. */
static void load(const char *line) {
  char path[256];
  snprintf(path, sizeof path, "%s%s", line[0] == '/' ? "" : "/modules/", line);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    log_line("module %s: %s", path, strerror(errno));
    return;
  }
  if (syscall(SYS_finit_module, fd, "", 0) != 0 && errno != EEXIST) {
    log_line("module %s: %s", path, strerror(errno));
  }
  close(fd);
  unlink(path);
}

void modules_load(void) {
  char text[16384], *rest = NULL;
  int fd = open(ORDER, O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return; /* a kernel with everything built in */
  ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text);
  if (got < 0) agent_fail(ORDER ": %s", strerror(errno));
  if (got == (ssize_t)sizeof text) agent_fail(ORDER " is too long");
  close(fd);
  text[got] = 0;
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    load(line);
  }
  unlink(ORDER);
}
