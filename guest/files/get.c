#include "files/get.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "files/put.h"
#include "files/tar-write.h"
#include "session/report.h"

/* Each level holds a directory open. */
#define DEPTH_MOST 200
#define PATH_MOST (DEPTH_MOST * (NAME_MAX + 1) + 2)
#define UNSIZED_MOST (16u << 20)

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

/* proc, sysfs, cgroup2, devpts, mqueue: what lies there are no files, and has no end. */
static bool is_of_the_kernel(int fd) {
  static const unsigned long kinds[] = {0x9fa0, 0x62656572, 0x63677270, 0x1cd1, 0x19800202};
  struct statfs info;
  if (fstatfs(fd, &info) != 0) return false;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if ((unsigned long)info.f_type == kinds[i]) return true;
  }
  return false;
}

static void get_directory(int parent, const char *name, size_t length, int depth) {
  struct stat info;
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && has_vanished()) return;
  if (fd < 0 || fstat(fd, &info) != 0) report_failure(1, errno, "open: %s", path);
  path[length++] = '/';
  path[length] = 0;
  put_entry(TAR_DIRECTORY, &info, 0, NULL);
  if (is_of_the_kernel(fd)) close(fd);
  else walk(fd, length, depth + 1);
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

/* The directory itself comes first, for its mode; it is no entry that counts. */
static void put_base(int base) {
  struct stat info;
  if (fstat(base, &info) != 0) report_failure(1, errno, "stat: %s", limits->path);
  struct tar_entry entry = {
      .path = "./",
      .type = TAR_DIRECTORY,
      .mode = info.st_mode & 07777,
      .uid = info.st_uid,
      .gid = info.st_gid,
      .mtime = info.st_mtim.tv_sec,
  };
  tar_entry(&entry);
}

/* Files of /proc say that they are empty: what one holds is known once it has been read. */
static int read_unsized(int fd, struct stat *info) {
  static uint8_t block[65536];
  int copy = memfd_create("unsized", MFD_CLOEXEC);
  if (copy < 0) report_failure(1, errno, "memory for: %s", limits->path);
  for (ssize_t got; (got = read(fd, block, sizeof block)) != 0;) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) report_failure(1, errno, "read: %s", limits->path);
    info->st_size += got;
    if (info->st_size > UNSIZED_MOST) report_failure(1, EFBIG, "without a size: %s", limits->path);
    if (write(copy, block, (size_t)got) != got) report_failure(1, ENOMEM, "read: %s", limits->path);
  }
  if (lseek(copy, 0, SEEK_SET) != 0) report_failure(1, errno, "read: %s", limits->path);
  return copy;
}

/* A link is followed: whoever named it means what it leads to. */
static void get_named_file(void) {
  struct stat info;
  if (stat(limits->path, &info) != 0) report_failure(1, errno, "open: %s", limits->path);
  if (S_ISDIR(info.st_mode)) report_failure(1, EISDIR, "open: %s", limits->path);
  if (!S_ISREG(info.st_mode)) report_failure(1, EINVAL, "not a regular file: %s", limits->path);
  int fd = open(limits->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &info) != 0) report_failure(1, errno, "open: %s", limits->path);
  if (info.st_size == 0) fd = read_unsized(fd, &info);
  snprintf(path, sizeof path, "%s", strrchr(limits->path, '/') + 1);
  put_entry(TAR_FILE, &info, (uint64_t)info.st_size, NULL);
  tar_file(fd, (uint64_t)info.st_size);
}

static void get_named_directory(void) {
  int base = open(limits->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (base < 0) report_failure(1, errno, "open: %s", limits->path);
  put_base(base);
  walk(base, 0, 1);
}

void get_files(const void *argument) {
  limits = argument;
  if (limits->is_file) get_named_file();
  else get_named_directory();
  tar_end();
  _exit(0);
}
