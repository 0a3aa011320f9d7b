#include "boot/root.h"

#include <errno.h>
#include <fcntl.h>
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
#define UPPER "/upper"
#define MERGED "/merged"

static void mount_lower(const char *device) {
  mkdir(LOWER, 0755);
  disks_await(device);
  if (mount(device, LOWER, "erofs", MS_RDONLY, NULL) != 0) {
    agent_fail("mount %s as erofs: %s", device, strerror(errno));
  }
}

static void mount_upper(const char *upper) {
  mkdir(UPPER, 0700);
  if (strcmp(upper, "tmpfs") != 0) {
    disks_mount(upper, UPPER);
  } else if (mount("tmpfs", UPPER, "tmpfs", 0, "size=60%,mode=0700") != 0) {
    agent_fail("mount tmpfs: %s", strerror(errno));
  }
  /* The disk has been the guest's: it may hold anything, also under these names. */
  int fd = open(UPPER, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int data = fd < 0 ? -1 : directory_make(fd, "upper", 0755);
  int work = fd < 0 ? -1 : directory_make(fd, "work", 0755);
  if (data < 0 || work < 0) agent_fail("prepare %s: %s", upper, strerror(errno));
  close(data);
  close(work);
  close(fd);
}

static void mount_merged(void) {
  const char *options = "lowerdir=" LOWER ",upperdir=" UPPER "/upper,workdir=" UPPER "/work";
  mkdir(MERGED, 0755);
  if (mount("overlay", MERGED, "overlay", 0, options) != 0) {
    agent_fail("mount overlay: %s", strerror(errno));
  }
}

/* As switch_root does; the initramfs is empty by now, its last files are unlinked. */
static void switch_to_merged(void) {
  if (chdir(MERGED) != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0 ||
      chdir("/") != 0) {
    agent_fail("switch root: %s", strerror(errno));
  }
}

void root_enter(const struct options *options) {
  mount_lower(options->root);
  mount_upper(options->upper);
  mount_merged();
  int root = open(MERGED, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) agent_fail("open root: %s", strerror(errno));
  tree_make(root);
  if (options->persist[0] != 0) disks_mount_persist(options->persist, root);
  close(root);
  switch_to_merged();
  log_line("root %s, upper %s", options->root, options->upper);
}
