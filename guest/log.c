#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static int log_fd = 2;

void log_to(int fd) { log_fd = fd; }

void log_line(const char *format, ...) {
  char line[512] = "agent: ";
  size_t head = 7;
  va_list values;
  va_start(values, format);
  int length = vsnprintf(line + head, sizeof line - head - 1, format, values);
  va_end(values);
  if (length < 0) return;
  size_t end = head + (size_t)length;
  if (end > sizeof line - 2) end = sizeof line - 2;
  /* Names from the image go through here: no control characters on the operator's console. */
  for (size_t i = 0; i < end; i++) {
    if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) line[i] = '?';
  }
  line[end] = '\n';
  /* A console that takes no more must not stop the agent: the line is lost. */
  ssize_t written = write(log_fd, line, end + 1);
  (void)written;
}
