#include "boot/port.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "channel/loop.h"
#include "control/end.h"

#define PORTS "/sys/class/virtio-ports"
#define CHANNEL "agent.channel"
#define PORT_MS 10000
#define HOST_MS 30000
#define POLL_US 2000

static bool file_says(const char *path, const char *name) {
  char text[64];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  text[got > 0 ? got : 0] = 0;
  text[strcspn(text, "\n")] = 0;
  return strcmp(text, name) == 0;
}

static int try_open(const char *name, int flags) {
  char path[320];
  int fd = -1;
  DIR *ports = opendir(PORTS);
  if (ports == NULL) return -1;
  for (struct dirent *entry; fd < 0 && (entry = readdir(ports)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    /* The name comes with a message of the device, after the port itself. */
    snprintf(path, sizeof path, PORTS "/%s/name", entry->d_name);
    if (!file_says(path, name)) continue;
    snprintf(path, sizeof path, "/dev/%s", entry->d_name);
    fd = open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  }
  closedir(ports);
  return fd;
}

bool ports_are_here(void) { return access(PORTS, F_OK) == 0; }

bool port_is(int fd, const char *name) {
  struct stat info;
  char path[64];
  if (fstat(fd, &info) != 0 || !S_ISCHR(info.st_mode)) return false;
  snprintf(path, sizeof path, "/sys/dev/char/%u:%u/name", major(info.st_rdev), minor(info.st_rdev));
  return file_says(path, name);
}

int port_await(const char *name, int flags) {
  int fd;
  int64_t deadline = now_ms() + PORT_MS;
  while ((fd = try_open(name, flags)) < 0 && now_ms() < deadline) usleep(POLL_US);
  return fd;
}

/* Until then the port reads as closed, and what is written is lost. */
static bool host_is_there(int fd) {
  struct pollfd wait = {.fd = fd, .events = POLLOUT};
  return poll(&wait, 1, 0) >= 0 && !(wait.revents & POLLHUP);
}

int port_open(void) {
  int fd = port_await(CHANNEL, O_RDWR);
  if (fd < 0) agent_fail("no virtio port is named " CHANNEL);
  int64_t deadline = now_ms() + HOST_MS;
  while (!host_is_there(fd)) {
    if (now_ms() > deadline) agent_fail("the host does not open the channel");
    usleep(POLL_US);
  }
  return fd;
}
