#include "session/report.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

_Static_assert(sizeof(struct report) <= PIPE_BUF, "a report must be written atomically");

void report_send(const struct report *report) {
  ssize_t written;
  do {
    written = write(REPORT_FD, report, sizeof *report);
  } while (written < 0 && errno == EINTR);
}

_Noreturn void report_failure(uint32_t code, int error, const char *format, ...) {
  struct report report = {.kind = REPORT_FAILED, .code = code, .error = error};
  va_list values;
  va_start(values, format);
  vsnprintf(report.reason, sizeof report.reason, format, values);
  va_end(values);
  report_send(&report);
  _exit((int)code);
}

bool report_read(int fd, struct report *report) {
  ssize_t got;
  do {
    got = read(fd, report, sizeof *report);
  } while (got < 0 && errno == EINTR);
  if (got != (ssize_t)sizeof *report) return false;
  report->reason[sizeof report->reason - 1] = 0;
  return true;
}
