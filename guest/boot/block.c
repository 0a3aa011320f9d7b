#include "boot/block.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/end.h"
#include "log.h"

#define DRIVER "sys/bus/virtio/drivers/virtio_blk"
#define PREFIX "virtio"
#define DEVICES_MOST 16

/* Numbers of those without a driver, in order: the bus has numbered them as it found them. */
static unsigned unbound[DEVICES_MOST];
static size_t unbound_count;

/* Of `virtio3`, 3. */
static bool read_number(const char *name, unsigned *number) {
  char *end;
  if (strncmp(name, PREFIX, strlen(PREFIX)) != 0) return false;
  const char *digits = name + strlen(PREFIX);
  if (*digits < '0' || *digits > '9') return false;
  *number = (unsigned)strtoul(digits, &end, 10);
  return *end == 0;
}

static unsigned number_of(int top, const char *device) {
  char path[128], target[256];
  unsigned number;
  const char *name = strrchr(device, '/');
  snprintf(path, sizeof path, "sys/class/block/%s/device", name == NULL ? device : name + 1);
  ssize_t length = readlinkat(top, path, target, sizeof target - 1);
  if (length < 0) agent_fail("%s: %s", path, strerror(errno));
  target[length] = 0;
  const char *last = strrchr(target, '/');
  if (!read_number(last == NULL ? target : last + 1, &number)) agent_fail("%s is no virtio device", device);
  return number;
}

static int by_number(const void *one, const void *other) {
  unsigned a = *(const unsigned *)one, b = *(const unsigned *)other;
  return (a > b) - (a < b);
}

static void list_others(int top, unsigned kept) {
  int fd = openat(top, DRIVER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *devices = fd < 0 ? NULL : fdopendir(fd);
  unsigned number;
  if (devices == NULL) agent_fail(DRIVER ": %s", strerror(errno));
  unbound_count = 0;
  for (struct dirent *entry; (entry = readdir(devices)) != NULL;) {
    if (!read_number(entry->d_name, &number) || number == kept) continue;
    if (unbound_count == DEVICES_MOST) agent_fail("more than %d block devices", DEVICES_MOST);
    unbound[unbound_count++] = number;
  }
  closedir(devices);
  qsort(unbound, unbound_count, sizeof *unbound, by_number);
}

static void tell_driver(int top, const char *what, unsigned number) {
  char name[24];
  int length = snprintf(name, sizeof name, PREFIX "%u", number);
  int fd = openat(top, what, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, name, (size_t)length) != length) {
    agent_fail("%s of %s: %s", what, name, strerror(errno));
  }
  close(fd);
}

void block_unbind_others(int top, const char *device) {
  list_others(top, number_of(top, device));
  for (size_t i = 0; i < unbound_count; i++) tell_driver(top, DRIVER "/unbind", unbound[i]);
}

void block_bind(int top, bool upper, bool persist) {
  /* Where there is but one, it is for what is wanted. */
  size_t at_persist = unbound_count > 1 ? 1 : 0;
  for (size_t i = 0; i < unbound_count; i++) {
    if ((upper && i == 0) || (persist && i == at_persist)) tell_driver(top, DRIVER "/bind", unbound[i]);
  }
  unbound_count = 0;
}
