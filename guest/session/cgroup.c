#include "session/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "log.h"

#define ROOT "/sys/fs/cgroup"
#define CGROUP2_MAGIC 0x63677270
#define MIB (1024ull * 1024ull)

/* Left to the kernel and the agent when the sessions take all they may. */
#define RESERVE (16 * MIB)

static int base = -1;
static unsigned long long tasks_max;

bool cgroup_is_used(void) { return base >= 0; }

static bool write_at(int dir, const char *path, const char *text) {
  int fd = openat(dir, path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t written = write(fd, text, strlen(text));
  close(fd);
  return written == (ssize_t)strlen(text);
}

static ssize_t read_at(int dir, const char *path, char *text, size_t size) {
  int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t got = read(fd, text, size - 1);
  close(fd);
  text[got > 0 ? got : 0] = 0;
  return got;
}

static bool is_ours_to_use(void) {
  struct statfs info;
  char own[64];
  if (statfs(ROOT, &info) != 0 || (unsigned long)info.f_type != CGROUP2_MAGIC) return false;
  return read_at(AT_FDCWD, "/proc/self/cgroup", own, sizeof own) > 0 && strcmp(own, "0::/\n") == 0;
}

static unsigned long long available_memory(void) {
  char text[1024];
  if (read_at(AT_FDCWD, "/proc/meminfo", text, sizeof text) <= 0) return 0;
  const char *line = strstr(text, "MemAvailable:");
  return line == NULL ? 0 : strtoull(line + strlen("MemAvailable:"), NULL, 10) * 1024;
}

static void set_limits(void) {
  char text[32];
  unsigned long long memory = available_memory();
  if (memory == 0) return;
  unsigned long long most = memory > 4 * RESERVE ? memory - RESERVE : memory / 4 * 3;
  snprintf(text, sizeof text, "%llu", most);
  if (!write_at(base, "memory.max", text)) log_line("no memory limit: %s", strerror(errno));
  /* A process costs the kernel some 100 KiB that it cannot take back. */
  tasks_max = memory / MIB * 4;
  if (tasks_max > 4096) tasks_max = 4096;
  if (tasks_max < 256) tasks_max = 256;
  snprintf(text, sizeof text, "%llu", tasks_max);
  if (!write_at(base, "pids.max", text)) log_line("no process limit: %s", strerror(errno));
}

/* With cpu a session of a thousand processes gets no more time than one of a single process. */
static void use_controllers(int group) {
  const char *controllers[] = {"+memory", "+pids", "+cpu"};
  /* One at a time: a kernel without one of them still gives the others. */
  for (int i = 0; i < 3; i++) write_at(group, "cgroup.subtree_control", controllers[i]);
}

void cgroup_open(void) {
  if (!is_ours_to_use()) return;
  int root = open(ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return;
  use_controllers(root);
  if (mkdirat(root, "agent", 0755) == 0 || errno == EEXIST) {
    base = openat(root, "agent", O_PATH | O_DIRECTORY | O_CLOEXEC);
  }
  close(root);
  if (base < 0) {
    log_line("no cgroup: %s", strerror(errno));
    return;
  }
  use_controllers(base);
  set_limits();
}

static const char *path_of(uint32_t session, const char *file) {
  static char path[64];
  snprintf(path, sizeof path, "s%u%s", session, file);
  return path;
}

/* One session may not take all the processes of the others. */
static void limit_tasks(uint32_t session) {
  char text[32];
  if (tasks_max == 0) return;
  snprintf(text, sizeof text, "%llu", tasks_max / 4 * 3);
  write_at(base, path_of(session, "/pids.max"), text);
}

int cgroup_make(uint32_t session) {
  if (mkdirat(base, path_of(session, ""), 0755) != 0) return -1;
  limit_tasks(session);
  int fd = openat(base, path_of(session, "/cgroup.procs"), O_WRONLY | O_CLOEXEC);
  int error = errno;
  if (fd < 0) cgroup_remove(session);
  errno = error;
  return fd;
}

static void signal_each(uint32_t session, int signal) {
  static char pids[65536];
  if (read_at(base, path_of(session, "/cgroup.procs"), pids, sizeof pids) <= 0) return;
  for (char *at = pids; *at != 0;) {
    long pid = strtol(at, &at, 10);
    if (pid > 1) kill((pid_t)pid, signal);
    while (*at == '\n') at++;
  }
}

void cgroup_signal(uint32_t session, int signal) {
  /* cgroup.kill is of Linux 5.14 and kills what forks meanwhile, and in groups below. */
  if (signal == SIGKILL && write_at(base, path_of(session, "/cgroup.kill"), "1")) return;
  signal_each(session, signal);
}

static uint32_t count_events(uint32_t session, const char *file, const char *name) {
  char text[256];
  if (base < 0) return 0;
  if (read_at(base, path_of(session, file), text, sizeof text) <= 0) return 0;
  const char *line = strstr(text, name);
  return line == NULL ? 0 : (uint32_t)strtoul(line + strlen(name), NULL, 10);
}

uint32_t cgroup_oom_kills(uint32_t session) {
  return count_events(session, "/memory.events", "oom_kill ");
}

bool cgroup_refused_tasks(uint32_t session) {
  return count_events(session, "/pids.events", "max ") > 0;
}

bool cgroup_has_processes(uint32_t session) {
  char text[256];
  if (read_at(base, path_of(session, "/cgroup.events"), text, sizeof text) <= 0) return false;
  return strstr(text, "populated 1") != NULL;
}

bool cgroup_remove(uint32_t session) {
  return unlinkat(base, path_of(session, ""), AT_REMOVEDIR) == 0 || errno == ENOENT;
}

void cgroup_close(void) {
  int root = base < 0 ? -1 : open(ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return;
  unlinkat(root, "agent", AT_REMOVEDIR);
  close(root);
}
