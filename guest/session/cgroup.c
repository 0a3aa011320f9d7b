#include "session/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
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

/* So many of ended sessions are kept for the next: to make and remove one costs more than a fork. */
#define KEPT_MOST 16

struct cgroup {
  uint32_t number;
  int directory;
  int memory, tasks, own; /* the files of events, -1 where the kernel has none */
  /* Counts when the session began: one before it may have left some. */
  uint32_t oom_kills, refusals;
};

static int base = -1;
static unsigned long long tasks_max;
static uint32_t last_number;
static struct cgroup *kept[KEPT_MOST];
static size_t kept_count;

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

/* One session may not take all the processes of the others. */
static void limit_tasks(int directory) {
  char text[32];
  if (tasks_max == 0) return;
  snprintf(text, sizeof text, "%llu", tasks_max / 4 * 3);
  write_at(directory, "pids.max", text);
}

static const char *name_of(const struct cgroup *cgroup) {
  static char name[16];
  snprintf(name, sizeof name, "s%u", cgroup->number);
  return name;
}

/* 0 also where there is no such count. */
static uint32_t count_of(int fd, const char *name) {
  char text[512];
  ssize_t got = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
  if (got <= 0) return 0;
  text[got] = 0;
  const char *line = strstr(text, name);
  return line == NULL ? 0 : (uint32_t)strtoul(line + strlen(name), NULL, 10);
}

static uint32_t count_oom_kills(const struct cgroup *cgroup) {
  return count_of(cgroup->memory, "oom_kill ");
}

static uint32_t count_refusals(const struct cgroup *cgroup) {
  return count_of(cgroup->tasks, "max ");
}

static void forget(struct cgroup *cgroup) {
  const int files[] = {cgroup->directory, cgroup->memory, cgroup->tasks, cgroup->own};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    if (files[i] >= 0) close(files[i]);
  }
  free(cgroup);
}

static struct cgroup *make(void) {
  struct cgroup *cgroup = calloc(1, sizeof *cgroup);
  if (cgroup == NULL) return NULL;
  cgroup->number = ++last_number;
  if (mkdirat(base, name_of(cgroup), 0755) != 0) {
    free(cgroup);
    return NULL;
  }
  cgroup->directory = openat(base, name_of(cgroup), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  cgroup->memory = openat(cgroup->directory, "memory.events", O_RDONLY | O_CLOEXEC);
  cgroup->tasks = openat(cgroup->directory, "pids.events", O_RDONLY | O_CLOEXEC);
  cgroup->own = openat(cgroup->directory, "cgroup.events", O_RDONLY | O_CLOEXEC);
  if (cgroup->directory >= 0 && cgroup->own >= 0) {
    limit_tasks(cgroup->directory);
    return cgroup;
  }
  int error = errno;
  unlinkat(base, name_of(cgroup), AT_REMOVEDIR);
  forget(cgroup);
  errno = error;
  return NULL;
}

struct cgroup *cgroup_take(void) { return kept_count > 0 ? kept[--kept_count] : make(); }

int cgroup_directory(const struct cgroup *cgroup) { return cgroup->directory; }

bool cgroup_enter(const struct cgroup *cgroup) {
  return write_at(cgroup->directory, "cgroup.procs", "0");
}

static void signal_each(const struct cgroup *cgroup, int signal) {
  static char pids[65536];
  if (read_at(cgroup->directory, "cgroup.procs", pids, sizeof pids) <= 0) return;
  for (char *at = pids; *at != 0;) {
    long pid = strtol(at, &at, 10);
    if (pid > 1) kill((pid_t)pid, signal);
    while (*at == '\n') at++;
  }
}

void cgroup_signal(const struct cgroup *cgroup, int signal) {
  /* cgroup.kill is of Linux 5.14 and kills what forks meanwhile, and in groups below. */
  if (signal == SIGKILL && write_at(cgroup->directory, "cgroup.kill", "1")) return;
  signal_each(cgroup, signal);
}

bool cgroup_had_oom_kill(const struct cgroup *cgroup) {
  return count_oom_kills(cgroup) != cgroup->oom_kills;
}

bool cgroup_refused_tasks(const struct cgroup *cgroup) {
  return count_refusals(cgroup) != cgroup->refusals;
}

bool cgroup_has_processes(const struct cgroup *cgroup) {
  return count_of(cgroup->own, "populated ") != 0;
}

/* As the session found it: it has made no groups of its own in there. */
static bool is_like_new(const struct cgroup *cgroup) {
  char text[256];
  if (read_at(cgroup->directory, "cgroup.subtree_control", text, sizeof text) > 1) return false;
  if (read_at(cgroup->directory, "cgroup.stat", text, sizeof text) <= 0) return false;
  return strncmp(text, "nr_descendants 0\n", strlen("nr_descendants 0\n")) == 0;
}

bool cgroup_return(struct cgroup *cgroup) {
  if (cgroup_has_processes(cgroup)) return false;
  if (kept_count < KEPT_MOST && is_like_new(cgroup)) {
    limit_tasks(cgroup->directory);
    cgroup->oom_kills = count_oom_kills(cgroup);
    cgroup->refusals = count_refusals(cgroup);
    kept[kept_count++] = cgroup;
    return true;
  }
  if (unlinkat(base, name_of(cgroup), AT_REMOVEDIR) != 0 && errno != ENOENT) return false;
  forget(cgroup);
  return true;
}

void cgroup_close(void) {
  while (kept_count > 0) {
    struct cgroup *cgroup = kept[--kept_count];
    unlinkat(base, name_of(cgroup), AT_REMOVEDIR);
    forget(cgroup);
  }
  int root = base < 0 ? -1 : open(ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return;
  unlinkat(root, "agent", AT_REMOVEDIR);
  close(root);
}
