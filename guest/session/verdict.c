#include "session/verdict.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define OUT "/out"

/* Less than that is no room for any file to speak of. */
#define ROOM_LEAST (64u * 1024u)

bool verdict_disk_is_full(void) {
  struct statvfs info;
  if (statvfs("/", &info) != 0 || info.f_blocks == 0) return false;
  /* Not f_bfree: ext4 keeps some blocks for itself. */
  if ((unsigned long long)info.f_bavail * info.f_frsize < ROOM_LEAST) return true;
  return info.f_files > 0 && info.f_ffree == 0;
}

bool verdict_has_out(void) {
  int fd = open(OUT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *directory = fd < 0 ? NULL : fdopendir(fd);
  bool found = false;
  if (directory == NULL) {
    if (fd >= 0) close(fd);
    return false;
  }
  for (struct dirent *entry; !found && (entry = readdir(directory)) != NULL;) {
    found = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
  }
  closedir(directory);
  return found;
}
