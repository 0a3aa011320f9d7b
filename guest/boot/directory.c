#include "boot/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SAME (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* From linux/openat2.h, which musl does not bring. */
#define NO_MAGIC_LINKS 0x02
#define IN_ROOT 0x10

struct how {
  uint64_t flags;
  uint64_t mode;
  uint64_t resolve;
};

static int enter(int parent, const char *name, mode_t mode) {
  int fd = openat(parent, name, SAME);
  if (fd >= 0) return fd;
  if (errno == ENOTDIR || errno == ELOOP) unlinkat(parent, name, 0);
  else if (errno != ENOENT) return -1;
  if (mkdirat(parent, name, mode) != 0) return -1;
  fd = openat(parent, name, SAME);
  /* The umask must not decide: 1777 is wanted as it is. */
  if (fd >= 0 && fchmodat(parent, name, mode, 0) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

int directory_make(int root, const char *path, mode_t mode) {
  char copy[256], *rest = NULL;
  if (strlen(path) >= sizeof copy) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy(copy, path);
  int fd = openat(root, ".", SAME);
  for (char *name = strtok_r(copy, "/", &rest); name && fd >= 0; name = strtok_r(NULL, "/", &rest)) {
    int next = enter(fd, name, mode);
    int error = errno;
    close(fd);
    errno = error;
    fd = next;
  }
  return fd;
}

int directory_look(int root, const char *path) {
  struct how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = IN_ROOT | NO_MAGIC_LINKS};
  return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

int directory_find(int root, const char *path, mode_t mode) {
  int fd = directory_look(root, path);
  return fd >= 0 ? fd : directory_make(root, path, mode);
}

bool directory_write(int directory, const char *name, const char *text, mode_t mode) {
  if (unlinkat(directory, name, 0) != 0 && errno == EISDIR) {
    unlinkat(directory, name, AT_REMOVEDIR);
  }
  int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  int fd = openat(directory, name, flags, mode);
  if (fd < 0) return false;
  ssize_t written = write(fd, text, strlen(text));
  close(fd);
  return written == (ssize_t)strlen(text);
}

bool directory_says(int directory, const char *name, const char *text) {
  static char content[65536];
  struct stat info;
  int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t got = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) ? read(fd, content, sizeof content - 1) : -1;
  close(fd);
  content[got > 0 ? got : 0] = 0;
  return strstr(content, text) != NULL;
}
