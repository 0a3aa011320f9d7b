#include "session/execute.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "session/report.h"
#include "session/terminal.h"
#include "session/user.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char *get_env(char **envp, const char *name) {
  size_t length = strlen(name);
  for (; *envp != NULL; envp++) {
    if (strncmp(*envp, name, length) == 0 && (*envp)[length] == '=') return *envp + length + 1;
  }
  return NULL;
}

static void add_home(char **envp, const char *home) {
  static char entry[600];
  if (get_env(envp, "HOME") != NULL) return;
  snprintf(entry, sizeof entry, "HOME=%s", home);
  while (*envp != NULL) envp++;
  *envp = entry;
}

/* As shells tell a script without #! from a program for another machine. */
static int looks_like_text(const char *path) {
  char start[128];
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t got = read(fd, start, sizeof start);
  close(fd);
  return got >= 0 && memchr(start, 0, (size_t)got) == NULL;
}

static void try_path(char *path, char **argv, char **envp) {
  execve(path, argv, envp);
  if (errno != ENOEXEC) return;
  if (looks_like_text(path)) {
    static char shell[] = "/bin/sh";
    char *name = argv[0];
    argv[-1] = shell;
    argv[0] = path;
    execve(shell, argv - 1, envp);
    argv[0] = name;
  }
  errno = ENOEXEC;
}

/* Returns only when nothing was found, with the errno that says the most. */
static void search_path(char **argv, char **envp) {
  static char path[PATH_MAX];
  const char *at = get_env(envp, "PATH");
  int seen = ENOENT;
  if (at == NULL) at = DEFAULT_PATH;
  while (at != NULL) {
    const char *end = strchr(at, ':');
    size_t length = end == NULL ? strlen(at) : (size_t)(end - at);
    const char *slash = length > 0 ? "/" : "./";
    int most = length < PATH_MAX ? (int)length : PATH_MAX;
    int needed = snprintf(path, sizeof path, "%.*s%s%s", most, at, slash, argv[0]);
    if (needed > 0 && needed < (int)sizeof path) {
      try_path(path, argv, envp);
      if (errno == EACCES) seen = EACCES;
      else if (errno != ENOENT && errno != ENOTDIR) return;
    }
    at = end == NULL ? NULL : end + 1;
  }
  errno = seen;
}

void execute(const void *argument) {
  const struct command *command = argument;
  struct user user;
  int error = user_find(command->user, &user);
  if (error == 0) add_home(command->envp, user.home);
  if (error == 0 && command->terminal) terminal_give(user.uid);
  if (error == 0) error = user_become(&user);
  if (error != 0) {
    report_failure(125, error, "user: %s", command->user == NULL ? "root" : command->user);
  }
  if (chdir(command->cwd) != 0) report_failure(125, errno, "chdir: %s", command->cwd);
  char *name = command->argv[0];
  errno = ENOENT;
  if (strchr(name, '/') != NULL) try_path(name, command->argv, command->envp);
  else if (name[0] != 0) search_path(command->argv, command->envp);
  report_failure(errno == ENOENT ? 127 : 126, errno, "execve: %s", name);
}
