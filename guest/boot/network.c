#include "boot/network.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "channel/loop.h"
#include "control/end.h"
#include "log.h"

#define DEVICE_MS 5000
#define POLL_US 2000

struct setting {
  struct in_addr address, mask, gateway, server;
};

static bool parse(const char *text, struct setting *setting) {
  char copy[128], *rest = NULL, *end;
  if (strlen(text) >= sizeof copy) return false;
  strcpy(copy, text);
  char *address = strtok_r(copy, ",", &rest);
  char *gateway = strtok_r(NULL, ",", &rest);
  char *server = strtok_r(NULL, ",", &rest);
  char *slash = address == NULL ? NULL : strchr(address, '/');
  if (slash == NULL || gateway == NULL || server == NULL) return false;
  *slash = 0;
  unsigned long bits = strtoul(slash + 1, &end, 10);
  if (*end != 0 || bits < 1 || bits > 32) return false;
  setting->mask.s_addr = htonl(UINT32_MAX << (32 - bits));
  return inet_pton(AF_INET, address, &setting->address) == 1 &&
         inet_pton(AF_INET, gateway, &setting->gateway) == 1 &&
         inet_pton(AF_INET, server, &setting->server) == 1;
}

static void set_address(struct sockaddr *to, struct in_addr address) {
  struct sockaddr_in value = {.sin_family = AF_INET, .sin_addr = address};
  memcpy(to, &value, sizeof value);
}

static bool set_up(int fd, struct ifreq *request) {
  if (ioctl(fd, SIOCGIFFLAGS, request) != 0) return false;
  if (request->ifr_flags & IFF_UP) return true;
  request->ifr_flags |= IFF_UP | IFF_RUNNING;
  return ioctl(fd, SIOCSIFFLAGS, request) == 0;
}

static int open_socket(void) { return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); }

void network_up_loopback(void) {
  struct ifreq request = {.ifr_name = "lo"};
  int fd = open_socket();
  if (fd < 0 || !set_up(fd, &request)) log_line("lo: %s", strerror(errno));
  if (fd >= 0) close(fd);
}

static bool find_device(char name[IFNAMSIZ]) {
  bool found = false;
  DIR *devices = opendir("/sys/class/net");
  if (devices == NULL) return false;
  for (struct dirent *entry; !found && (entry = readdir(devices)) != NULL;) {
    if (entry->d_name[0] == '.' || strcmp(entry->d_name, "lo") == 0) continue;
    if (strlen(entry->d_name) >= IFNAMSIZ) continue;
    strcpy(name, entry->d_name);
    found = true;
  }
  closedir(devices);
  return found;
}

static bool add_default_route(int fd, struct in_addr gateway) {
  struct rtentry route = {.rt_flags = RTF_UP | RTF_GATEWAY};
  struct in_addr any = {.s_addr = INADDR_ANY};
  set_address(&route.rt_dst, any);
  set_address(&route.rt_genmask, any);
  set_address(&route.rt_gateway, gateway);
  return ioctl(fd, SIOCADDRT, &route) == 0 || errno == EEXIST;
}

void network_up(const char *text) {
  struct setting setting;
  struct ifreq request = {.ifr_name = ""};
  if (!parse(text, &setting)) agent_fail("kernel parameter agent.net=%s is malformed", text);
  int64_t deadline = now_ms() + DEVICE_MS;
  while (!find_device(request.ifr_name)) {
    if (now_ms() > deadline) agent_fail("no network device");
    usleep(POLL_US);
  }
  int fd = open_socket();
  set_address(&request.ifr_addr, setting.address);
  bool done = fd >= 0 && ioctl(fd, SIOCSIFADDR, &request) == 0;
  set_address(&request.ifr_netmask, setting.mask);
  done = done && ioctl(fd, SIOCSIFNETMASK, &request) == 0 && set_up(fd, &request) &&
         add_default_route(fd, setting.gateway);
  if (!done) agent_fail("network %s: %s", request.ifr_name, strerror(errno));
  close(fd);
}

bool network_name_server(const char *text, char *line, size_t size) {
  struct setting setting;
  char address[INET_ADDRSTRLEN];
  if (!parse(text, &setting)) return false;
  if (inet_ntop(AF_INET, &setting.server, address, sizeof address) == NULL) return false;
  snprintf(line, size, "nameserver %s\n", address);
  return true;
}
