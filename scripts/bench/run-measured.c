/*
 * Runs a program and says on file descriptor 3 what it took:
 *
 *   run-measured own|all DEADLINE_MS PROGRAM [ARGUMENT]...
 *
 * `own` waits for the program alone; `all` also for what it leaves behind, so that work which a program puts off until
 * after its end is counted too. Processor time is that of all processes that were waited for, and of those that they had
 * waited for. At the deadline everything is ended. The exit code is the program's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { REPORT_FD = 3, GRACE_MS = 10000, MAX_KILLS = 20, KILL_EVERY_MS = 250 };

static long long now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static long long microseconds(struct timeval time) {
  return time.tv_sec * 1000000LL + time.tv_usec;
}

static void kill_children(void) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
  FILE *file = fopen(path, "re");
  if (file == NULL) return;
  int pid;
  while (fscanf(file, "%d", &pid) == 1) kill(pid, SIGKILL);
  fclose(file);
}

static pid_t start(char **command, const sigset_t *mask) {
  pid_t parent = getpid();
  pid_t child = fork();
  if (child != 0) return child;
  sigprocmask(SIG_SETMASK, mask, NULL);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() == parent) execvp(command[0], command);
  fprintf(stderr, "run-measured: %s: %s\n", command[0], strerror(errno));
  _exit(127);
}

struct outcome {
  int status;
  int has_ended;
  int was_late;
  int killed;
  long long ended_ns;
  long long gone_ns;
};

/* One step of ending what is late: first the program is asked, then everything is killed. */
static long long end_late(struct outcome *outcome, pid_t child, int all) {
  if (!outcome->was_late && !outcome->has_ended) {
    outcome->was_late = 1;
    kill(child, SIGTERM);
    return GRACE_MS;
  }
  outcome->was_late = 1;
  outcome->killed += 1;
  if (all) kill_children();
  else kill(child, SIGKILL);
  return KILL_EVERY_MS;
}

static struct outcome wait_for(pid_t child, int all, long long deadline_ns, const sigset_t *set) {
  struct outcome outcome = {0};
  while (outcome.killed < MAX_KILLS && (all || !outcome.has_ended)) {
    int status;
    pid_t ended = waitpid(-1, &status, WNOHANG);
    if (ended < 0) break;
    if (ended == child) {
      outcome.has_ended = 1;
      outcome.status = status;
      outcome.ended_ns = now_ns();
    }
    if (ended > 0) continue;
    long long left = deadline_ns - now_ns();
    if (left <= 0) {
      deadline_ns = now_ns() + end_late(&outcome, child, all) * 1000000LL;
      continue;
    }
    struct timespec time = {.tv_sec = left / 1000000000LL, .tv_nsec = left % 1000000000LL};
    if (sigtimedwait(set, NULL, &time) == SIGTERM && !outcome.has_ended) kill(child, SIGTERM);
  }
  outcome.gone_ns = now_ns();
  return outcome;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  int all = strcmp(argv[1], "all") == 0;
  sigset_t set, before;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT); /* at a terminal the program has it too */
  sigprocmask(SIG_BLOCK, &set, &before);
  fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC);
  if (all) prctl(PR_SET_CHILD_SUBREAPER, 1);
  long long started_ns = now_ns();
  pid_t child = start(argv + 3, &before);
  if (child < 0) return 126;
  struct outcome outcome = wait_for(child, all, started_ns + atoll(argv[2]) * 1000000LL, &set);
  struct rusage used;
  getrusage(RUSAGE_CHILDREN, &used);
  dprintf(REPORT_FD,
          "{\"started_ns\":\"%lld\",\"exit_us\":%lld,\"gone_us\":%lld,\"user_us\":%lld,\"system_us\":%lld,"
          "\"late\":%s}\n",
          started_ns, (outcome.ended_ns - started_ns) / 1000, (outcome.gone_ns - started_ns) / 1000,
          microseconds(used.ru_utime), microseconds(used.ru_stime), outcome.was_late ? "true" : "false");
  if (!outcome.has_ended) return 124;
  return WIFEXITED(outcome.status) ? WEXITSTATUS(outcome.status) : 128 + WTERMSIG(outcome.status);
}
