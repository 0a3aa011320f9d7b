#include "boot/names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "boot/directory.h"
#include "boot/network.h"
#include "log.h"

#define DEFAULT_HOST "agent"

static void write_file(int etc, const char *name, const char *text) {
  if (!directory_write(etc, name, text, 0644)) log_line("/etc/%s: %s", name, strerror(errno));
}

static void write_files(const char *host, const char *net) {
  char text[512];
  int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  int etc = root < 0 ? -1 : directory_find(root, "etc", 0755);
  if (etc < 0) {
    log_line("make /etc: %s", strerror(errno));
  } else {
    snprintf(text, sizeof text, "%s\n", host);
    write_file(etc, "hostname", text);
    snprintf(text, sizeof text, "127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\t%s\n", host);
    /* What was added to it in a VM that stays is the user's. */
    if (!directory_says(etc, "hosts", host)) write_file(etc, "hosts", text);
    if (network_name_server(net, text, sizeof text)) write_file(etc, "resolv.conf", text);
    close(etc);
  }
  if (root >= 0) close(root);
}

void names_set(const struct options *options) {
  const char *host = options->host[0] != 0 ? options->host : DEFAULT_HOST;
  if (sethostname(host, strlen(host)) != 0) log_line("host name: %s", strerror(errno));
  write_files(host, options->net);
}

void names_keep(void) {
  struct utsname names;
  if (uname(&names) != 0) log_line("host name: %s", strerror(errno));
  else write_files(names.nodename, "");
}
