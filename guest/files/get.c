#include "files/get.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/put.h"
#include "files/tar-write.h"
#include "session/report.h"

/* Each level holds a directory open. */
#define DEPTH_MOST 200
#define PATH_MOST (DEPTH_MOST * (NAME_MAX + 1) + 2)

static char path[PATH_MOST];
static const struct transfer *limits;
static uint64_t bytes;
static uint32_t entries;

static void walk(int directory, size_t length, int depth);

/* Gone, or something else, since it was listed: the guest is free to do that. */
static bool has_vanished(void) {
  return errno == ENOENT || errno == ELOOP || errno == ENOTDIR || errno == ENXIO;
}

static void put_entry(char type, const struct stat *info, uint64_t size, const char *link) {
  if (++entries > limits->max_entries) {
    report_failure(1, E2BIG, "tar: more than %u entries", limits->max_entries);
  }
  if (size > limits->max_bytes - bytes) {
    report_failure(1, EFBIG, "tar: more than %llu bytes", (unsigned long long)limits->max_bytes);
  }
  bytes += size;
  struct tar_entry entry = {
      .path = path,
      .link = link,
      .type = type,
      .mode = info->st_mode & 07777,
      .uid = info->st_uid,
      .gid = info->st_gid,
      .size = size,
      .mtime = info->st_mtim.tv_sec,
  };
  tar_entry(&entry);
}

static void get_file(int parent, const char *name) {
  struct stat info;
  /* A pipe put in the place of a file must not block us. */
  int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) {
    if (has_vanished()) return;
    report_failure(1, errno, "open: %s", path);
  }
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
    put_entry(TAR_FILE, &info, (uint64_t)info.st_size, NULL);
    tar_file(fd, (uint64_t)info.st_size);
  }
  close(fd);
}

static void get_link(int parent, const char *name, const struct stat *info) {
  char target[PATH_MAX];
  ssize_t length = readlinkat(parent, name, target, sizeof target - 1);
  if (length < 0) return;
  target[length] = 0;
  put_entry(TAR_LINK, info, 0, target);
}

static void get_directory(int parent, const char *name, size_t length, int depth) {
  struct stat info;
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && has_vanished()) return;
  if (fd < 0 || fstat(fd, &info) != 0) report_failure(1, errno, "open: %s", path);
  path[length++] = '/';
  path[length] = 0;
  put_entry(TAR_DIRECTORY, &info, 0, NULL);
  walk(fd, length, depth + 1);
}

static void get_entry(int parent, const char *name, size_t length, int depth) {
  struct stat info;
  if (fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return;
  if (S_ISREG(info.st_mode)) get_file(parent, name);
  if (S_ISLNK(info.st_mode)) get_link(parent, name, &info);
  if (S_ISDIR(info.st_mode)) get_directory(parent, name, length, depth);
}

/* Closes the directory. */
static void walk(int directory, size_t length, int depth) {
  if (depth > DEPTH_MOST) report_failure(1, ENAMETOOLONG, "tar: more than %d levels", DEPTH_MOST);
  DIR *stream = fdopendir(directory);
  if (stream == NULL) report_failure(1, errno, "open: %s", path);
  for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    size_t more = strlen(entry->d_name);
    if (length + more + 2 > sizeof path) report_failure(1, ENAMETOOLONG, "tar: a path is too long");
    memcpy(path + length, entry->d_name, more + 1);
    get_entry(directory, entry->d_name, length + more, depth);
    path[length] = 0;
  }
  closedir(stream);
}

void get_files(const void *argument) {
  limits = argument;
  int base = open(limits->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (base < 0) report_failure(1, errno, "open: %s", limits->path);
  walk(base, 0, 1);
  tar_end();
  _exit(0);
}
