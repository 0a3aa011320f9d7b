#include "boot/disks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/directory.h"
#include "channel/loop.h"
#include "control/end.h"
#include "log.h"

#define DEVICE_MS 10000
#define POLL_US 2000
#define DISKS_MAX 2

/* Roots of what is mounted: after the switch of roots no path leads to the upper any more. */
static int disks[DISKS_MAX];
static int disk_count;

void disks_await(const char *device) {
  struct stat info;
  int64_t deadline = now_ms() + DEVICE_MS;
  while (stat(device, &info) != 0 || !S_ISBLK(info.st_mode)) {
    if (now_ms() > deadline) agent_fail("no block device %s", device);
    usleep(POLL_US);
  }
}

static void remember(const char *path) {
  int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0 && disk_count < DISKS_MAX) disks[disk_count++] = fd;
}

void disks_mount(const char *device, const char *path) {
  disks_await(device);
  if (mount(device, path, "ext4", MS_NOATIME, NULL) != 0) {
    agent_fail("mount %s as ext4: %s", device, strerror(errno));
  }
  remember(path);
}

/* mkfs leaves a root that only root may write to; what the guest has chosen since then stays. */
static void open_to_all(const char *path) {
  struct stat info;
  if (stat(path, &info) != 0 || info.st_uid != 0 || (info.st_mode & 07777) != 0755) return;
  if (chmod(path, 01777) != 0) log_line("/persist: %s", strerror(errno));
}

void disks_mount_persist(const char *device, int root) {
  char path[32];
  int fd = directory_make(root, "persist", 01777);
  if (fd < 0) agent_fail("make /persist: %s", strerror(errno));
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  disks_mount(device, path);
  close(fd);
  /* The descriptor above is of the directory below the mount: look again. */
  close(disks[--disk_count]);
  fd = openat(root, "persist", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) agent_fail("open /persist: %s", strerror(errno));
  disks[disk_count++] = fd;
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  open_to_all(path);
}

void disks_unmount_persist(void) {
  close(disks[--disk_count]);
  if (umount2("/persist", UMOUNT_NOFOLLOW) != 0) agent_fail("unmount /persist: %s", strerror(errno));
}

/* A read-only ext4 is a clean one; unmounting is not possible while the overlay is our root. */
void disks_close(void) {
  char path[32];
  sync();
  mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
  for (int i = 0; i < disk_count; i++) {
    snprintf(path, sizeof path, "/proc/self/fd/%d", disks[i]);
    if (mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0) {
      log_line("disk %d stays dirty: %s", i, strerror(errno));
    }
  }
  sync();
}
