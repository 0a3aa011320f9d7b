#include "boot/options.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "control/end.h"

static void read_word(const char *word, const char *name, char *value, size_t size) {
  size_t length = strlen(name);
  if (strncmp(word, name, length) != 0) return;
  if (strlen(word + length) >= size) agent_fail("kernel parameter %s is too long", name);
  strcpy(value, word + length);
}

static void need_device(const char *name, const char *value) {
  if (value[0] == 0 || strncmp(value, "/dev/", 5) == 0) return;
  agent_fail("kernel parameter %s%s is not a device", name, value);
}

void options_read(struct options *options) {
  char line[4096], *rest = NULL;
  *options = (struct options){.upper = "tmpfs"};
  int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
  if (got < 0) agent_fail("/proc/cmdline: %s", strerror(errno));
  close(fd);
  line[got] = 0;
  for (char *word = strtok_r(line, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
    read_word(word, "agent.root=", options->root, sizeof options->root);
    read_word(word, "agent.upper=", options->upper, sizeof options->upper);
    read_word(word, "agent.persist=", options->persist, sizeof options->persist);
    read_word(word, "agent.net=", options->net, sizeof options->net);
    read_word(word, "agent.host=", options->host, sizeof options->host);
  }
  need_device("agent.root=", options->root);
  need_device("agent.persist=", options->persist);
  if (strcmp(options->upper, "tmpfs") != 0) need_device("agent.upper=", options->upper);
}
