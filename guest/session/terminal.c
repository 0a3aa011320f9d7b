#include "session/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define DEFAULT_ROWS 24
#define DEFAULT_COLUMNS 80

/* From asm-generic/ioctls.h; not every C library has them. */
#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif
#ifndef TIOCSIG
#define TIOCSIG _IOW('T', 0x36, int)
#endif

struct winsize terminal_size(const uint8_t *bytes) {
  unsigned rows = bytes[0] | (unsigned)bytes[1] << 8, columns = bytes[2] | (unsigned)bytes[3] << 8;
  return (struct winsize){
      .ws_row = (unsigned short)(rows == 0 ? DEFAULT_ROWS : rows),
      .ws_col = (unsigned short)(columns == 0 ? DEFAULT_COLUMNS : columns),
  };
}

static int open_master(void) {
  int flags = O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
  int master = open("/dev/ptmx", flags);
  return master >= 0 ? master : open("/dev/pts/ptmx", flags);
}

/* By its number where the kernel is older than Linux 4.13. */
static int open_slave(int master) {
  char path[32];
  int flags = O_RDWR | O_NOCTTY | O_CLOEXEC, locked = 0;
  unsigned number;
  if (ioctl(master, TIOCSPTLCK, &locked) != 0) return -1;
  int slave = ioctl(master, TIOCGPTPEER, flags);
  if (slave >= 0 || ioctl(master, TIOCGPTN, &number) != 0) return slave;
  snprintf(path, sizeof path, "/dev/pts/%u", number);
  return open(path, flags);
}

bool terminal_open(struct terminal *terminal, const struct winsize *size) {
  int master = open_master();
  if (master < 0) return false;
  int slave = open_slave(master);
  int in = slave < 0 ? -1 : fcntl(master, F_DUPFD_CLOEXEC, 0);
  if (in >= 0 && ioctl(master, TIOCSWINSZ, size) == 0) {
    *terminal = (struct terminal){.in = in, .out = master, .slave = slave};
    return true;
  }
  int error = errno;
  if (in >= 0) close(in);
  if (slave >= 0) close(slave);
  close(master);
  errno = error;
  return false;
}

bool terminal_control(void) { return ioctl(STDIN_FILENO, TIOCSCTTY, 0) == 0; }

bool terminal_is_controlled(int master) { return tcgetpgrp(master) > 0; }

void terminal_give(uid_t uid) {
  /* Refused where the agent is not root: then the terminal is its user's already. */
  if (fchown(STDIN_FILENO, uid, (gid_t)-1) == 0) fchmod(STDIN_FILENO, 0620);
}

static int signal_of(const struct termios *modes, uint8_t byte) {
  if (byte == _POSIX_VDISABLE) return 0;
  if (byte == modes->c_cc[VINTR]) return SIGINT;
  if (byte == modes->c_cc[VQUIT]) return SIGQUIT;
  return byte == modes->c_cc[VSUSP] ? SIGTSTP : 0;
}

size_t terminal_interrupt(int master, const uint8_t *bytes, size_t length) {
  struct termios modes;
  size_t dropped = 0;
  if (tcgetattr(master, &modes) != 0 || !(modes.c_lflag & ISIG) || modes.c_lflag & NOFLSH) return 0;
  for (size_t i = 0; i < length; i++) {
    int number = signal_of(&modes, bytes[i]);
    if (number == 0) continue;
    ioctl(master, TIOCSIG, number);
    dropped = i + 1;
  }
  if (dropped > 0) tcflush(master, TCOFLUSH);
  return dropped;
}

bool terminal_end_input(int master, bool in_line) {
  struct termios modes;
  if (tcgetattr(master, &modes) != 0) return errno != EAGAIN;
  uint8_t end = modes.c_cc[VEOF];
  if (end == _POSIX_VDISABLE) return true;
  /* Behind the start of a line the first one only hands that over. */
  uint8_t both[2] = {end, end};
  size_t wanted = in_line && modes.c_lflag & ICANON ? 2 : 1;
  ssize_t written = write(master, both, wanted);
  return written == (ssize_t)wanted || (written < 0 && errno != EAGAIN && errno != EINTR);
}
