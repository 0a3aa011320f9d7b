/*
 * What `krunvm start NAME COMMAND` does once its container is mounted: the calls of krunvm 0.2.6, in
 * their order, with its messages. libkrun is found at run time, so that no header of it is needed.
 *
 * usage: krun-start ROOT COMMAND
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>

#define CPUS 1
#define MEMORY_MIB 300
#define FAILED 255 /* krunvm exits with -1 */

static void fail(const char *message) {
  printf("%s\n", message);
  exit(FAILED);
}

static void *find(void *library, const char *name) {
  void *function = dlsym(library, name);
  if (function == NULL) fail(name);
  return function;
}

static void raise_limits(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) fail("Couldn't get RLIMIT_NOFILE value");
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) fail("Couldn't set RLIMIT_NOFILE value");
}

static void lock(const char *root) {
  char path[4096];
  snprintf(path, sizeof path, "%s/.krunvm.lock", root);
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) fail("Couldn't create lock file");
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    fail("Couldn't acquire lock file. Is another instance of this VM already running?");
  }
}

int main(int argc, char **argv) {
  if (argc != 3) fail("usage: krun-start ROOT COMMAND");
  void *library = dlopen("libkrun.so.1", RTLD_NOW);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 127;
  }
  int32_t (*create_ctx)(void) = find(library, "krun_create_ctx");
  int32_t (*set_vm_config)(uint32_t, uint8_t, uint32_t) = find(library, "krun_set_vm_config");
  int32_t (*set_root)(uint32_t, const char *) = find(library, "krun_set_root");
  int32_t (*set_port_map)(uint32_t, const char *const *) = find(library, "krun_set_port_map");
  int32_t (*set_exec)(uint32_t, const char *, const char *const *, const char *const *) =
      find(library, "krun_set_exec");
  int32_t (*start_enter)(uint32_t) = find(library, "krun_start_enter");
  const char *const nothing[] = {NULL};
  const char *const environment[] = {"HOSTNAME=nested", "HOME=/root", NULL};

  /* As every program in Rust does before its main. */
  signal(SIGPIPE, SIG_IGN);
  raise_limits();
  lock(argv[1]);
  uint32_t ctx = (uint32_t)create_ctx();
  if (set_vm_config(ctx, CPUS, MEMORY_MIB) < 0) fail("Error setting VM config");
  if (set_root(ctx, argv[1]) < 0) fail("Error setting VM rootfs");
  if (set_port_map(ctx, nothing) < 0) fail("Error setting VM port map");
  if (set_exec(ctx, argv[2], nothing, environment) < 0) fail("Error setting VM config");
  if (start_enter(ctx) < 0) fail("Error starting VM");
  return 0;
}
