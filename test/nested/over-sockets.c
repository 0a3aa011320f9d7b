/*
 * Runs a command whose standard streams are AF_UNIX socket pairs, as Node's child processes have them,
 * and copies between those and its own, which are pipes. Ends with the command's exit code.
 *
 * usage: over-sockets COMMAND [ARGUMENT...]
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define STREAMS 3
#define AT_ONCE 65536

static void die(const char *what) {
  perror(what);
  exit(125);
}

static void run(char **argv, int theirs[STREAMS]) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int i = 0; i < STREAMS; i++) dup2(theirs[i], i);
  execvp(argv[0], argv);
  die(argv[0]);
}

/* One read and its whole write; false at the end of the stream. */
static int copy(int from, int to) {
  char bytes[AT_ONCE];
  ssize_t got = read(from, bytes, sizeof bytes);
  for (ssize_t done = 0; done < got;) {
    ssize_t written = write(to, bytes + done, (size_t)(got - done));
    if (written < 0) return 0;
    done += written;
  }
  return got > 0;
}

static void copy_all(int ours[STREAMS]) {
  struct pollfd from[STREAMS] = {
      {.fd = STDIN_FILENO, .events = POLLIN},
      {.fd = ours[1], .events = POLLIN},
      {.fd = ours[2], .events = POLLIN},
  };
  const int to[STREAMS] = {ours[0], STDOUT_FILENO, STDERR_FILENO};
  while (from[1].fd >= 0 || from[2].fd >= 0) {
    if (poll(from, STREAMS, -1) < 0) die("poll");
    for (int i = 0; i < STREAMS; i++) {
      if (from[i].fd < 0 || from[i].revents == 0 || copy(from[i].fd, to[i])) continue;
      from[i].fd = -1;
      if (i == 0) close(ours[0]);
    }
  }
}

int main(int argc, char **argv) {
  int ours[STREAMS], theirs[STREAMS], status;
  if (argc < 2) return 2;
  for (int i = 0; i < STREAMS; i++) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) die("socketpair");
    ours[i] = pair[0];
    theirs[i] = pair[1];
  }
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) run(argv + 1, theirs);
  for (int i = 0; i < STREAMS; i++) close(theirs[i]);
  signal(SIGPIPE, SIG_IGN);
  copy_all(ours);
  if (waitpid(child, &status, 0) != child) die("waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
