#include "files/put.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/tar-read.h"
#include "session/report.h"
#include "session/user.h"

#define DIRECTORY (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* No set-id bits: files come from outside. */
#define FILE_MODE 0777u
#define DIRECTORY_MODE 01777u

static struct user owner;

/* A file on its way, under a name of ours; -1 where there is none. */
static int half_parent = -1;
static char half_name[40];

_Noreturn static void fail(const char *what, const char *path) {
  int error = errno;
  if (half_parent >= 0) unlinkat(half_parent, half_name, 0);
  report_failure(1, error, "%s: %s", what, path);
}

/* Not root, outside a guest: everything is ours anyway. */
static void own(int directory, const char *name, const char *path) {
  if (geteuid() != 0) return;
  if (fchownat(directory, name, owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW) != 0) fail("chown", path);
}

/* The guest's own links lead to PATH, /workspace/in for one; those below it are never followed. */
static int open_base(const char *path) {
  char part[PATH_MAX];
  size_t length = strlen(path);
  if (length >= sizeof part) report_failure(1, ENAMETOOLONG, "mkdir: %s", path);
  for (size_t i = 1; i <= length; i++) {
    if (path[i] != '/' && path[i] != 0) continue;
    memcpy(part, path, i);
    part[i] = 0;
    if (mkdir(part, 0755) == 0) own(AT_FDCWD, part, part);
    else if (errno != EEXIST && access(part, F_OK) != 0) fail("mkdir", part);
  }
  int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail("open", path);
  return fd;
}

static int enter(int parent, const char *name, const char *path) {
  int fd = openat(parent, name, DIRECTORY);
  if (fd < 0 && errno == ENOENT) {
    if (mkdirat(parent, name, 0755) != 0 && errno != EEXIST) fail("mkdir", path);
    own(parent, name, path);
    fd = openat(parent, name, DIRECTORY);
  }
  if (fd < 0) fail("open", path);
  close(parent);
  return fd;
}

/* The directory of the entry, and its name there; a name of "" is the base itself. */
static int open_parent(int base, char *path, const char *whole, const char **last) {
  char *rest = NULL;
  int fd = fcntl(base, F_DUPFD_CLOEXEC, 0);
  if (path[0] == '/') report_failure(1, EPERM, "tar: absolute name: %s", whole);
  *last = "";
  for (char *name = strtok_r(path, "/", &rest); name; name = strtok_r(NULL, "/", &rest)) {
    if (strcmp(name, "..") == 0) report_failure(1, EPERM, "tar: name with '..': %s", whole);
    if (strcmp(name, ".") == 0) continue;
    if (**last != 0) fd = enter(fd, *last, whole);
    *last = name;
  }
  return fd;
}

static void make_directory(int parent, const char *name, const struct tar_entry *entry) {
  struct stat info;
  if (*name == 0) return;
  if (fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) == 0) {
    /* What is there is merged with, and keeps its mode and owner. */
    if (S_ISDIR(info.st_mode)) return;
    unlinkat(parent, name, 0);
  }
  if (mkdirat(parent, name, 0700) != 0) fail("mkdir", entry->path);
  own(parent, name, entry->path);
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 || fchmod(fd, entry->mode & DIRECTORY_MODE) != 0) fail("chmod", entry->path);
  close(fd);
}

static void make_room(int parent, const char *name, const char *path) {
  if (*name == 0) report_failure(1, EISDIR, "tar: not a directory: %s", path);
  if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) return;
  /* An empty directory may be replaced too. */
  if (errno != EISDIR || unlinkat(parent, name, AT_REMOVEDIR) != 0) fail("unlink", path);
}

static void write_content(int fd, const struct tar_entry *entry) {
  const uint8_t *bytes;
  for (uint64_t left = entry->size; left > 0;) {
    size_t length = tar_content(&bytes, left);
    left -= length;
    while (length > 0) {
      ssize_t written = write(fd, bytes, length);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) fail("write", entry->path);
      bytes += written;
      length -= (size_t)written;
    }
  }
  tar_skip(tar_padding(entry->size));
}

/* Without a name, so that whatever ends us leaves nothing, and what is there stays as it is until the last byte is in. */
static int open_unnamed(int parent) { return openat(parent, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600); }

/* Not every file system has files without a name: an overlay of Linux 6.1 has not. */
static int open_half(int parent, const char *path) {
  unlinkat(parent, half_name, 0);
  int fd = openat(parent, half_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) fail("create", path);
  half_parent = parent;
  return fd;
}

static void replace(int parent, const char *name, const char *path) {
  if (renameat(parent, half_name, parent, name) != 0) {
    /* An empty directory may be replaced too. */
    if (unlinkat(parent, name, AT_REMOVEDIR) != 0) fail("unlink", path);
    if (renameat(parent, half_name, parent, name) != 0) fail("rename", path);
  }
  half_parent = -1;
}

static void give_name(int fd, int parent, const char *name, const char *path) {
  char own_path[40];
  snprintf(own_path, sizeof own_path, "/proc/self/fd/%d", fd);
  if (linkat(AT_FDCWD, own_path, parent, name, AT_SYMLINK_FOLLOW) == 0) return;
  if (errno != EEXIST) fail("link", path);
  unlinkat(parent, half_name, 0);
  if (linkat(AT_FDCWD, own_path, parent, half_name, AT_SYMLINK_FOLLOW) != 0) fail("link", path);
  half_parent = parent;
  replace(parent, name, path);
}

static void make_file(int parent, const char *name, const struct tar_entry *entry) {
  struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = (time_t)entry->mtime}};
  if (*name == 0) report_failure(1, EISDIR, "tar: not a directory: %s", entry->path);
  int fd = open_unnamed(parent);
  bool unnamed = fd >= 0;
  if (!unnamed) fd = open_half(parent, entry->path);
  write_content(fd, entry);
  if (geteuid() == 0 && fchown(fd, owner.uid, owner.gid) != 0) fail("chown", entry->path);
  if (fchmod(fd, entry->mode & FILE_MODE) != 0) fail("chmod", entry->path);
  if (futimens(fd, times) != 0) fail("utime", entry->path);
  if (unnamed) give_name(fd, parent, name, entry->path);
  else replace(parent, name, entry->path);
  if (close(fd) != 0) fail("close", entry->path);
}

static void make_link(int parent, const char *name, const struct tar_entry *entry) {
  make_room(parent, name, entry->path);
  if (symlinkat(entry->link, parent, name) != 0) fail("symlink", entry->path);
  own(parent, name, entry->path);
}

static void make_entry(int base, const struct tar_entry *entry) {
  const char *name;
  char *path = strdup(entry->path);
  if (path == NULL) report_failure(1, ENOMEM, "tar: no memory");
  int parent = open_parent(base, path, entry->path, &name);
  if (entry->type == TAR_FILE) {
    make_file(parent, name, entry);
  } else {
    if (entry->type == TAR_DIRECTORY) make_directory(parent, name, entry);
    else if (entry->type == TAR_LINK) make_link(parent, name, entry);
    else report_failure(1, EINVAL, "tar: type '%c' is not taken: %s", entry->type, entry->path);
    tar_skip(entry->size);
    tar_skip(tar_padding(entry->size));
  }
  close(parent);
  free(path);
}

void put_files(const void *argument) {
  const struct transfer *transfer = argument;
  struct tar_entry entry;
  uint64_t bytes = 0;
  uint32_t entries = 0;
  int error = user_find(transfer->user, &owner);
  if (error != 0) report_failure(1, error, "user: %s", transfer->user);
  int base = open_base(transfer->path);
  umask(0);
  snprintf(half_name, sizeof half_name, ".agent-put-%d", (int)getpid());
  while (tar_next(&entry)) {
    if (++entries > transfer->max_entries) {
      report_failure(1, E2BIG, "tar: more than %u entries", transfer->max_entries);
    }
    if (entry.size > transfer->max_bytes - bytes) {
      report_failure(1, EFBIG, "tar: more than %llu bytes", (unsigned long long)transfer->max_bytes);
    }
    bytes += entry.size;
    make_entry(base, &entry);
  }
  _exit(0);
}
