#include "boot/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/directory.h"
#include "control/end.h"
#include "log.h"

#define HARMLESS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

struct point {
  const char *path;
  mode_t mode;
  const char *type;
  unsigned long flags;
  const char *options;
  bool needed;
  /* There is one in the whole kernel: to mount it again would change the options of all of them. */
  bool single;
};

/*
 * Each after what it lies in. /run and /tmp stay on the overlay, with what the image has there. What
 * lives in memory is small beside the 60 % of the upper: all of it full must leave room to run.
 */
static const struct point points[] = {
    {"proc", 0555, "proc", HARMLESS, NULL, true, false},
    {"sys", 0555, "sysfs", HARMLESS, NULL, true, false},
    {"sys/fs/cgroup", 0755, "cgroup2", HARMLESS, NULL, false, false},
    {"dev", 0755, "devtmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=4m", true, true},
    {"dev/pts", 0755, "devpts", MS_NOSUID | MS_NOEXEC, "mode=0620,ptmxmode=0666,gid=5", false, false},
    {"dev/shm", 01777, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=15%", false, false},
    {"dev/mqueue", 01777, "mqueue", HARMLESS, NULL, false, false},
};

static const struct {
  const char *path;
  mode_t mode;
} directories[] = {{"in", 01777}, {"out", 01777}, {"persist", 01777}, {"workspace", 0755}};

static const struct {
  const char *directory;
  const char *name;
  const char *target;
} links[] = {
    {"dev", "fd", "/proc/self/fd"},      {"dev", "stdin", "/proc/self/fd/0"},
    {"dev", "stdout", "/proc/self/fd/1"}, {"dev", "stderr", "/proc/self/fd/2"},
    {"workspace", "in", "/in"},          {"workspace", "out", "/out"},
    {"workspace", "persist", "/persist"},
};

static bool is_mounted(int fd) {
  struct stat own, above;
  return fstat(fd, &own) == 0 && fstatat(fd, "..", &above, 0) == 0 && own.st_dev != above.st_dev;
}

static bool mount_on(int fd, const struct point *point) {
  if (fd < 0 || fchdir(fd) != 0) return false;
  bool mounted = mount(point->type, ".", point->type, point->flags, point->options) == 0;
  int error = errno;
  if (chdir("/") != 0) agent_fail("chdir: %s", strerror(errno));
  errno = error;
  return mounted;
}

static void mount_point(int root, const struct point *point, bool prepared) {
  int fd = directory_make(root, point->path, point->mode);
  bool done = prepared && fd >= 0 && (point->single || is_mounted(fd));
  if (!done) done = mount_on(fd, point);
  int error = errno;
  if (fd >= 0) close(fd);
  if (done) return;
  if (point->needed && !prepared) agent_fail("mount /%s: %s", point->path, strerror(error));
  log_line("no /%s: %s", point->path, strerror(error));
}

static void make_directory(int root, const char *path, mode_t mode) {
  int fd = directory_make(root, path, mode);
  if (fd < 0) agent_fail("make /%s: %s", path, strerror(errno));
  close(fd);
  /* It may have been there, with a mode of the image's choice; it is no link by now. */
  if (fchmodat(root, path, mode, 0) != 0) log_line("chmod /%s: %s", path, strerror(errno));
}

/* As the image has it; only what is missing or no directory is made. */
static void find_directory(int root, const char *path, mode_t mode) {
  int fd = directory_find(root, path, mode);
  if (fd < 0) log_line("make /%s: %s", path, strerror(errno));
  else close(fd);
}

static bool is_link(int directory, const char *name, const char *target) {
  char text[32];
  ssize_t length = readlinkat(directory, name, text, sizeof text);
  return length == (ssize_t)strlen(target) && memcmp(text, target, (size_t)length) == 0;
}

/* A directory of that name that is not empty stays: it is the image's, and in nobody's way. */
static void make_link(int root, const char *directory, const char *name, const char *target) {
  int fd = directory_make(root, directory, 0755);
  if (fd < 0) agent_fail("make /%s: %s", directory, strerror(errno));
  if (!is_link(fd, name, target)) {
    if (unlinkat(fd, name, 0) != 0 && errno == EISDIR) unlinkat(fd, name, AT_REMOVEDIR);
    if (symlinkat(target, fd, name) != 0) {
      log_line("link /%s/%s: %s", directory, name, strerror(errno));
    }
  }
  close(fd);
}

static void make(int root, bool prepared) {
  for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
    mount_point(root, &points[i], prepared);
  }
  for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
    make_directory(root, directories[i].path, directories[i].mode);
  }
  for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
    make_link(root, links[i].directory, links[i].name, links[i].target);
  }
  find_directory(root, "tmp", 01777);
  find_directory(root, "run", 0755);
}

void tree_make(int root) { make(root, false); }

void tree_complete(int root) { make(root, true); }
