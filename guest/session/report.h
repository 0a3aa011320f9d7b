/* What a child tells the agent through a pipe of its own; one record is written atomically. */
#ifndef AGENT_REPORT_H
#define AGENT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* Its number in every child, closed by a successful execve. */
#define REPORT_FD 3

enum report_kind { REPORT_NONE, REPORT_STARTED, REPORT_FAILED, REPORT_ENDED };

struct report {
  int32_t kind;
  uint32_t code; /* FAILED: what EXIT is to carry */
  int32_t error;
  char reason[256];
  pid_t command; /* STARTED, from a supervisor */
  int32_t status; /* ENDED, from a supervisor */
  struct rusage usage;
};

/* In a child. */
_Noreturn void report_failure(uint32_t code, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void report_send(const struct report *report);

/* In the agent: false when there is none now. */
bool report_read(int fd, struct report *report);

#endif
