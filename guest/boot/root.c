#include "boot/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/directory.h"
#include "boot/disks.h"
#include "boot/tree.h"
#include "control/end.h"
#include "log.h"

#define LOWER "/lower"

/* Where an upper and the overlay of it are mounted in the initramfs. */
struct places {
  const char *upper;
  const char *merged;
};

static const struct places first = {"/upper", "/merged"};
static const struct places second = {"/upper2", "/merged2"};

/* The initramfs, as long as there may be another root. */
static int below = -1;

static void mount_lower(const char *device) {
  mkdir(LOWER, 0755);
  disks_await(device);
  if (mount(device, LOWER, "erofs", MS_RDONLY, NULL) != 0) {
    agent_fail("mount %s as erofs: %s", device, strerror(errno));
  }
}

static bool is_in_memory(const char *upper) { return strcmp(upper, "tmpfs") == 0; }

static void mount_upper(const char *upper, const char *path) {
  mkdir(path, 0700);
  if (!is_in_memory(upper)) {
    disks_mount(upper, path);
  } else if (mount("tmpfs", path, "tmpfs", 0, "size=60%,mode=0700") != 0) {
    agent_fail("mount tmpfs: %s", strerror(errno));
  }
  /* The disk has been the guest's: it may hold anything, also under these names. */
  int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int data = fd < 0 ? -1 : directory_make(fd, "upper", 0755);
  int work = fd < 0 ? -1 : directory_make(fd, "work", 0755);
  if (data < 0 || work < 0) agent_fail("prepare %s: %s", upper, strerror(errno));
  close(data);
  close(work);
  close(fd);
}

static void mount_merged(const struct places *at) {
  char options[128];
  snprintf(options, sizeof options, "lowerdir=" LOWER ",upperdir=%s/upper,workdir=%s/work", at->upper,
           at->upper);
  mkdir(at->merged, 0755);
  if (mount("overlay", at->merged, "overlay", 0, options) != 0) {
    agent_fail("mount overlay: %s", strerror(errno));
  }
}

static int open_root(const char *path) {
  int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) agent_fail("open root: %s", strerror(errno));
  return root;
}

static void build(const struct places *at, const struct options *options) {
  mount_upper(options->upper, at->upper);
  mount_merged(at);
  int root = open_root(at->merged);
  tree_make(root);
  if (options->persist[0] != 0) disks_mount_persist(options->persist, root);
  close(root);
}

/* As switch_root does; the initramfs is empty by now, its last files are unlinked. */
static void switch_to(const char *merged) {
  if (chdir(merged) != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0 ||
      chdir("/") != 0) {
    agent_fail("switch root: %s", strerror(errno));
  }
}

static void go_to(int root) {
  if (fchdir(root) != 0 || chroot(".") != 0 || chdir("/") != 0) {
    agent_fail("change root: %s", strerror(errno));
  }
}

void root_enter(const struct options *options) {
  mount_lower(options->root);
  if (is_in_memory(options->upper)) below = open_root("/");
  build(&first, options);
  switch_to(first.merged);
  log_line("root %s, upper %s", options->root, options->upper);
}

bool root_may_change(void) { return below >= 0; }

int root_below(void) { return below; }

/* What files and mounts the agent itself still has open of the old root stay usable. */
static void drop(const char *path) {
  if (umount2(path, MNT_DETACH) != 0) log_line("unmount %s: %s", path, strerror(errno));
}

static void exchange(const struct options *options) {
  build(&second, options);
  /* All that is mounted over the initramfs: the old root with what is mounted in it. */
  drop("/");
  drop(first.upper);
  switch_to(second.merged);
}

void root_change(const struct options *options) {
  int own = open_root("/");
  go_to(below);
  if (!is_in_memory(options->upper)) {
    exchange(options);
  } else {
    if (options->persist[0] != 0) disks_mount_persist(options->persist, own);
    go_to(own);
  }
  close(own);
  close(below);
  below = -1;
  log_line("root %s, upper %s, started", options->root, options->upper);
}
