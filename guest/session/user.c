#include "session/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MOST (1024u * 1024u)
#define NAME_MOST 256
#define COLUMNS 7

/* NULL for anything but a plain file; what is behind the first MiB is not read. */
static char *load(const char *path) {
  struct stat info;
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return NULL;
  char *text = NULL;
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) text = malloc(FILE_MOST + 1);
  size_t length = 0;
  while (text != NULL && length < FILE_MOST) {
    ssize_t got = read(fd, text + length, FILE_MOST - length);
    if (got <= 0) break;
    length += (size_t)got;
  }
  close(fd);
  if (text != NULL) text[length] = 0;
  return text;
}

/* Cuts the next line into its columns; missing ones are empty. False at the end. */
static bool next_row(char **at, char *columns[COLUMNS]) {
  static char empty[] = "";
  if (*at == NULL || **at == 0) return false;
  char *line = *at, *end = strchr(line, '\n');
  *at = end == NULL ? NULL : end + 1;
  if (end != NULL) *end = 0;
  for (int i = 0; i < COLUMNS; i++) {
    columns[i] = line == NULL ? empty : line;
    char *colon = line == NULL ? NULL : strchr(line, ':');
    if (colon != NULL) *colon = 0;
    line = colon == NULL ? NULL : colon + 1;
  }
  return true;
}

static bool parse_id(const char *text, uint32_t *id) {
  uint64_t value = 0;
  if (*text == 0) return false;
  for (; *text != 0; text++) {
    if (*text < '0' || *text > '9') return false;
    value = value * 10 + (uint64_t)(*text - '0');
    /* The last one means "leave it as it is" to the kernel. */
    if (value >= UINT32_MAX) return false;
  }
  *id = (uint32_t)value;
  return true;
}

static bool find_account(const char *name, bool by_number, struct user *user, char *account) {
  char *text = load("/etc/passwd"), *at = text, *columns[COLUMNS];
  uint32_t wanted = 0, uid, gid;
  bool found = false;
  if (by_number && !parse_id(name, &wanted)) at = NULL;
  while (!found && next_row(&at, columns)) {
    if (!parse_id(columns[2], &uid) || !parse_id(columns[3], &gid)) continue;
    if (by_number ? uid != wanted : strcmp(columns[0], name) != 0) continue;
    found = true;
    user->uid = uid;
    user->gid = gid;
    snprintf(user->home, sizeof user->home, "%s", columns[5]);
    snprintf(account, NAME_MOST, "%s", columns[0]);
  }
  free(text);
  return found;
}

static bool is_member(const char *list, const char *name) {
  size_t length = strlen(name);
  /* A number without an account has no name: it must not match empty lists. */
  if (length == 0) return false;
  for (const char *at = list; at != NULL; at = strchr(at, ',')) {
    if (*at == ',') at++;
    if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == 0)) return true;
  }
  return false;
}

static void find_groups(const char *account, struct user *user) {
  char *text = load("/etc/group"), *at = text, *columns[COLUMNS];
  uint32_t gid;
  user->groups[user->group_count++] = user->gid;
  while (user->group_count < USER_GROUPS_MAX && next_row(&at, columns)) {
    if (!parse_id(columns[2], &gid) || gid == user->gid) continue;
    if (is_member(columns[3], account)) user->groups[user->group_count++] = gid;
  }
  free(text);
}

static bool find_group(const char *name, gid_t *result) {
  char *text = load("/etc/group"), *at = text, *columns[COLUMNS];
  uint32_t gid;
  bool found = false;
  while (!found && next_row(&at, columns)) {
    if (strcmp(columns[0], name) != 0 || !parse_id(columns[2], &gid)) continue;
    *result = gid;
    found = true;
  }
  free(text);
  if (found || !parse_id(name, &gid)) return found;
  *result = gid;
  return true;
}

int user_find(const char *spec, struct user *user) {
  char name[NAME_MOST], account[NAME_MOST] = "";
  uint32_t uid = 0;
  *user = (struct user){.uid = 0};
  if (spec == NULL) spec = "0";
  const char *colon = strchr(spec, ':');
  size_t length = colon == NULL ? strlen(spec) : (size_t)(colon - spec);
  if (length == 0 || length >= sizeof name) return EINVAL;
  memcpy(name, spec, length);
  name[length] = 0;
  if (!find_account(name, false, user, account) && !find_account(name, true, user, account)) {
    if (!parse_id(name, &uid)) return ENOENT;
    user->uid = uid;
  }
  if (user->home[0] != '/') snprintf(user->home, sizeof user->home, "/");
  if (colon == NULL) {
    find_groups(account, user);
    return 0;
  }
  if (!find_group(colon + 1, &user->gid)) return ENOENT;
  user->groups[user->group_count++] = user->gid;
  return 0;
}

int user_become(const struct user *user) {
  if (setgroups(user->group_count, user->groups) != 0) {
    /* Not root, outside a guest: to stay who we are takes no rights. */
    if (errno != EPERM || user->uid != getuid()) return errno;
    return 0;
  }
  if (setresgid(user->gid, user->gid, user->gid) != 0) return errno;
  if (setresuid(user->uid, user->uid, user->uid) != 0) return errno;
  return 0;
}
