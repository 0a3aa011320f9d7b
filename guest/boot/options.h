/* What the kernel command line asks of the agent. */
#ifndef AGENT_OPTIONS_H
#define AGENT_OPTIONS_H

/* Empty when not given. */
struct options {
  char root[64];
  char upper[64];
  char persist[64];
  char net[128];
  char host[65];
};

void options_read(struct options *options);

#endif
