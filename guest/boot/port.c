#include "boot/port.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "channel/loop.h"
#include "control/end.h"

#define PORTS "/sys/class/virtio-ports"
#define NAME "agent.channel"
#define PORT_MS 10000
#define HOST_MS 30000
#define POLL_US 2000

/* The name comes with a message of the device, after the port itself. */
static bool is_channel(const char *port) {
  char path[320], name[64];
  snprintf(path, sizeof path, PORTS "/%s/name", port);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t got = read(fd, name, sizeof name - 1);
  close(fd);
  name[got > 0 ? got : 0] = 0;
  name[strcspn(name, "\n")] = 0;
  return strcmp(name, NAME) == 0;
}

static int try_open(void) {
  char path[320];
  int fd = -1;
  DIR *ports = opendir(PORTS);
  if (ports == NULL) return -1;
  for (struct dirent *entry; fd < 0 && (entry = readdir(ports)) != NULL;) {
    if (entry->d_name[0] == '.' || !is_channel(entry->d_name)) continue;
    snprintf(path, sizeof path, "/dev/%s", entry->d_name);
    fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  }
  closedir(ports);
  return fd;
}

/* Until then the port reads as closed, and what is written is lost. */
static bool host_is_there(int fd) {
  struct pollfd wait = {.fd = fd, .events = POLLOUT};
  return poll(&wait, 1, 0) >= 0 && !(wait.revents & POLLHUP);
}

int port_open(void) {
  int fd;
  int64_t deadline = now_ms() + PORT_MS;
  while ((fd = try_open()) < 0) {
    if (now_ms() > deadline) agent_fail("no virtio port is named " NAME);
    usleep(POLL_US);
  }
  deadline = now_ms() + HOST_MS;
  while (!host_is_there(fd)) {
    if (now_ms() > deadline) agent_fail("the host does not open the channel");
    usleep(POLL_US);
  }
  return fd;
}
