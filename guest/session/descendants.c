#include "session/descendants.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session/report.h"

#define PROCESSES_MAX 8192
#define PASSES_MAX 32
#define AGENT_DIED SIGHUP

struct process {
  pid_t pid, parent, session;
  bool ours;
};

static struct process processes[PROCESSES_MAX];

/* `alone` afterwards says that there are no more. */
static void reap_children(pid_t command, bool *alone) {
  for (;;) {
    struct report report = {.kind = REPORT_ENDED};
    pid_t pid = wait4(-1, &report.status, WNOHANG, &report.usage);
    if (pid == command) {
      report_send(&report);
      close(REPORT_FD);
    } else if (pid <= 0) {
      *alone = pid < 0 && errno == ECHILD;
      return;
    }
  }
}

/* Until the last process of the session has ended, or the agent has: then nobody else kills them. */
_Noreturn static void supervise(pid_t agent, pid_t command) {
  sigset_t wanted;
  bool alone = false;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGCHLD);
  sigaddset(&wanted, AGENT_DIED);
  while (!alone) {
    reap_children(command, &alone);
    if (getppid() != agent) {
      descendants_signal(getpid(), command, SIGKILL);
      _exit(1);
    }
    if (!alone) sigwaitinfo(&wanted, NULL);
  }
  _exit(0);
}

void descendants_supervise(void) {
  sigset_t all;
  pid_t agent = getppid();
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  prctl(PR_SET_PDEATHSIG, AGENT_DIED, 0, 0, 0);
  setsid();
  pid_t command = fork();
  if (command == 0) return;
  if (command < 0) report_failure(125, errno, "fork");
  struct report started = {.kind = REPORT_STARTED, .command = command};
  report_send(&started);
  /* The command's pipes must end when the command and its children have closed them. */
  for (int fd = 0; fd < REPORT_FD; fd++) close(fd);
  supervise(agent, command);
}

/* `STATE PARENT GROUP SESSION ...`, as behind the name in /proc/PID/stat. */
static bool parse_rest(char *rest, struct process *process) {
  char *at = rest + 2;
  if (strlen(rest) < 3) return false;
  process->parent = (pid_t)strtol(at, &at, 10);
  strtol(at, &at, 10);
  process->session = (pid_t)strtol(at, &at, 10);
  return rest[0] != 'Z' && rest[0] != 'X';
}

static bool read_process(const char *name, struct process *process) {
  char path[48], text[512];
  snprintf(path, sizeof path, "/proc/%.20s/stat", name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  if (got <= 0) return false;
  text[got] = 0;
  /* The name before the last ')' is the program's own choice. */
  char *rest = strrchr(text, ')');
  *process = (struct process){.pid = atoi(name)};
  return rest != NULL && strlen(rest) > 2 && parse_rest(rest + 2, process);
}

static size_t read_processes(void) {
  size_t count = 0;
  DIR *proc = opendir("/proc");
  if (proc == NULL) return 0;
  for (struct dirent *entry; count < PROCESSES_MAX && (entry = readdir(proc)) != NULL;) {
    if (!isdigit((unsigned char)entry->d_name[0])) continue;
    if (read_process(entry->d_name, &processes[count])) count++;
  }
  closedir(proc);
  return count;
}

static int by_pid(const void *a, const void *b) {
  const struct process *left = a, *right = b;
  return (left->pid > right->pid) - (left->pid < right->pid);
}

/* /proc is read in the order of pids. */
static bool is_below(const struct process *process, size_t count, pid_t supervisor) {
  if (process->parent == supervisor) return true;
  struct process key = {.pid = process->parent};
  const struct process *parent = bsearch(&key, processes, count, sizeof key, by_pid);
  return parent != NULL && parent->ours;
}

static void find_ours(size_t count, pid_t supervisor, pid_t command) {
  for (bool found = true; found;) {
    found = false;
    for (size_t i = 0; i < count; i++) {
      struct process *process = &processes[i];
      if (process->ours || process->pid == supervisor) continue;
      if (process->session != command && !is_below(process, count, supervisor)) continue;
      process->ours = found = true;
    }
  }
}

static int signal_once(pid_t supervisor, pid_t command, int signal) {
  int signalled = 0;
  size_t count = read_processes();
  find_ours(count, supervisor, command);
  for (size_t i = 0; i < count; i++) {
    if (processes[i].ours && kill(processes[i].pid, signal) == 0) signalled++;
  }
  return signalled;
}

int descendants_signal(pid_t supervisor, pid_t command, int signal) {
  if (supervisor <= 0 || command <= 0) return 0;
  int signalled = signal_once(supervisor, command, signal);
  /* What was forked while we looked gets it too; a SIGTERM must come once. */
  for (int pass = 1; signal == SIGKILL && signalled > 0 && pass < PASSES_MAX; pass++) {
    if (signal_once(supervisor, command, signal) == 0) break;
  }
  return signalled;
}
