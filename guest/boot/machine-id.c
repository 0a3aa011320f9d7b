#include "boot/machine-id.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/directory.h"
#include "log.h"

#define NAME "machine-id"
#define TEXT_BYTES (2 * MACHINE_ID_BYTES + 1)

static bool is_file(int directory) {
  struct stat info;
  return fstatat(directory, NAME, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode);
}

static bool says(int directory, const char *text) {
  char found[TEXT_BYTES + 1];
  if (!is_file(directory)) return false;
  int fd = openat(directory, NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t got = read(fd, found, sizeof found);
  close(fd);
  return got == (ssize_t)TEXT_BYTES && memcmp(found, text, TEXT_BYTES) == 0;
}

static void write_in(int directory, const char *path, const char *text) {
  if (says(directory, text)) return;
  if (!directory_write(directory, NAME, text, 0444)) log_line("%s/" NAME ": %s", path, strerror(errno));
}

static void write_etc(int root, const char *text) {
  int etc = directory_find(root, "etc", 0755);
  if (etc < 0) {
    log_line("make /etc: %s", strerror(errno));
    return;
  }
  write_in(etc, "/etc", text);
  close(etc);
}

/* Images with D-Bus may bring a second one; mostly it is a link to the first. */
static void write_dbus(int root, const char *text) {
  int dbus = directory_look(root, "var/lib/dbus");
  if (dbus < 0) return;
  if (is_file(dbus)) write_in(dbus, "/var/lib/dbus", text);
  close(dbus);
}

void machine_id_set(const uint8_t *id) {
  char text[TEXT_BYTES + 1];
  for (size_t i = 0; i < MACHINE_ID_BYTES; i++) snprintf(text + 2 * i, 3, "%02x", id[i]);
  strcpy(text + 2 * MACHINE_ID_BYTES, "\n");
  int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) {
    log_line("open root: %s", strerror(errno));
    return;
  }
  write_etc(root, text);
  write_dbus(root, text);
  close(root);
}
