/*
 * The terminal of a session: a PTY whose master is the agent's. It is there twice, once for each
 * direction, as each watch closes a file of its own.
 */
#ifndef AGENT_TERMINAL_H
#define AGENT_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/types.h>

/* What a terminal may hold when its command has ended, and more than that. */
#define TERMINAL_HOLDS (256 * 1024)

/* How long nobody may have it open before the agent looks again. */
#define TERMINAL_REST_US 20000

/* Two u16, rows and columns; 0 of either is that of 24 by 80. */
struct winsize terminal_size(const uint8_t *bytes);

struct terminal {
  int in, out; /* the master */
  int slave;
};

/* False with errno. */
bool terminal_open(struct terminal *terminal, const struct winsize *size);

/* In the child, whose standard input it is: makes it the controlling terminal of the new session. */
bool terminal_control(void);

/* For the agent: whether the child has done so. */
bool terminal_is_controlled(int master);

/* In the child: what a login gives its user. */
void terminal_give(uid_t uid);

/*
 * For input that the terminal does not take now: signals the foreground for each character that is
 * to do so, and returns what of the input those make void.
 */
size_t terminal_interrupt(int master, const uint8_t *bytes, size_t length);

/* Types the end of file; `in_line` says that the last byte ended no line. False when it must be tried again. */
bool terminal_end_input(int master, bool in_line);

#endif
