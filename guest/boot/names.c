#include "boot/names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "boot/directory.h"
#include "boot/network.h"
#include "log.h"

#define DEFAULT_HOST "agent"

static void write_file(int etc, const char *name, const char *text) {
  if (!directory_write(etc, name, text)) log_line("/etc/%s: %s", name, strerror(errno));
}

void names_write(const struct options *options) {
  char text[512];
  const char *host = options->host[0] != 0 ? options->host : DEFAULT_HOST;
  if (sethostname(host, strlen(host)) != 0) log_line("host name: %s", strerror(errno));
  int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  int etc = root < 0 ? -1 : directory_find(root, "etc", 0755);
  if (etc < 0) {
    log_line("make /etc: %s", strerror(errno));
  } else {
    snprintf(text, sizeof text, "%s\n", host);
    write_file(etc, "hostname", text);
    snprintf(text, sizeof text, "127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\t%s\n", host);
    write_file(etc, "hosts", text);
    if (network_name_server(options->net, text, sizeof text)) write_file(etc, "resolv.conf", text);
    close(etc);
  }
  if (root >= 0) close(root);
}
