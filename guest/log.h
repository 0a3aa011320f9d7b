/* Terse lines for the console: the last ones must explain a boot that failed. */
#ifndef AGENT_LOG_H
#define AGENT_LOG_H

void log_to(int fd);
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
