/* The last steps of a child before it is the command. */
#ifndef AGENT_EXECUTE_H
#define AGENT_EXECUTE_H

#include <stdbool.h>

struct command {
  char **argv; /* one free place before it */
  char **envp; /* one free place at its end */
  const char *cwd;
  const char *user; /* NULL: root */
  bool terminal;    /* its standard streams are one */
};

/* Takes a struct command; ends in execve or in a report. */
void execute(const void *command);

#endif
