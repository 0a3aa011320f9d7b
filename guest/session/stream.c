#include "session/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bytes.h"
#include "channel/channel.h"
#include "control/end.h"
#include "protocol.h"
#include "session/terminal.h"

/* Credit goes back in pieces of this size; the host can never run dry before one is due. */
#define CREDIT_STEP 65536u

/*
 * The agent runs before every command, so it would read each line in the moment it is written, one
 * frame and two switches a line. After a short read a pipe rests, and what comes meanwhile comes at
 * once; the first output after a pause is never late.
 */
#define FULL_READ 32768
/* A terminal gives at most a page at once. */
#define FULL_TERMINAL_READ 2048
#define REST_US 2000
/* So much is written while a pipe rests, once it has held much. */
#define WIDE_PIPE (256 * 1024)
#define DISCARD_REST_US 20000

static bool starved;

static void on_inlet(struct watch *watch, uint32_t events) {
  struct inlet *inlet = (struct inlet *)watch;
  inlet->writable = true;
  /* A terminal that nobody has open may be opened again. */
  if (events & (EPOLLERR | EPOLLHUP) && !inlet->terminal) inlet->broken = true;
}

static void on_outlet(struct watch *watch, uint32_t events) {
  struct outlet *outlet = (struct outlet *)watch;
  (void)events;
  outlet->readable = true;
}

void inlet_init(struct inlet *inlet) {
  *inlet = (struct inlet){
      .watch = {.fd = -1, .ready = on_inlet}, .credit = INITIAL_CREDIT, .writable = true};
}

void outlet_init(struct outlet *outlet) {
  *outlet = (struct outlet){
      .watch = {.fd = -1, .ready = on_outlet}, .credit = INITIAL_CREDIT, .left = SIZE_MAX};
}

void inlet_close(struct inlet *inlet) {
  loop_close(&inlet->watch);
  free(inlet->data);
  inlet->data = NULL;
  inlet->length = 0;
}

/* What the reader will never take counts as consumed, so that the host's writer goes on. */
static void abandon(struct inlet *inlet) {
  inlet->consumed += (uint32_t)inlet->length;
  inlet_close(inlet);
}

/* A terminal does not tell each time that there is room again: it is asked. */
static void ask_again(const struct inlet *inlet) {
  if (inlet->terminal) loop_due(now_us() + TERMINAL_REST_US);
}

static bool may_write(struct inlet *inlet) {
  if (!inlet->terminal) return inlet->writable;
  if (!inlet->controlled) inlet->controlled = terminal_is_controlled(inlet->watch.fd);
  return inlet->controlled;
}

static size_t write_some(struct inlet *inlet, const uint8_t *bytes, size_t length) {
  if (length == 0 || !may_write(inlet)) return 0;
  ssize_t written = write(inlet->watch.fd, bytes, length);
  if (written < 0) {
    if (errno == EAGAIN || (errno == EIO && inlet->terminal)) inlet->writable = false;
    else if (errno != EINTR) inlet->broken = true;
    return 0;
  }
  inlet->consumed += (uint32_t)written;
  return (size_t)written;
}

static void keep(struct inlet *inlet, const uint8_t *bytes, size_t length) {
  if (inlet->data == NULL) inlet->data = malloc(INITIAL_CREDIT);
  if (inlet->data == NULL) agent_fail("no memory for standard input");
  if (inlet->start + inlet->length + length > INITIAL_CREDIT) {
    memmove(inlet->data, inlet->data + inlet->start, inlet->length);
    inlet->start = 0;
  }
  memcpy(inlet->data + inlet->start + inlet->length, bytes, length);
  inlet->length += length;
}

/* What a terminal's foreground is interrupted by goes ahead of what nobody reads, and instead of it. */
static size_t interrupt(struct inlet *inlet, const uint8_t *bytes, size_t length) {
  if (!inlet->controlled || length == 0) return 0;
  size_t dropped = terminal_interrupt(inlet->watch.fd, bytes, length);
  if (dropped == 0) return 0;
  inlet->consumed += (uint32_t)(inlet->length + dropped);
  inlet->length = 0;
  return dropped;
}

void inlet_receive(struct session *session, const uint8_t *bytes, size_t length) {
  struct inlet *inlet = &session->in;
  if (session->kind == SESSION_GET) agent_fail("STDIN for session %u, a GET", session->id);
  if (inlet->eof) agent_fail("STDIN for session %u after its STDIN_EOF", session->id);
  if (length > inlet->credit) agent_fail("STDIN for session %u beyond its credit", session->id);
  inlet->credit -= (uint32_t)length;
  if (inlet->watch.fd < 0 || inlet->broken) {
    inlet->consumed += (uint32_t)length;
    return;
  }
  if (length > 0) inlet->in_line = bytes[length - 1] >= ' ' || bytes[length - 1] == '\t';
  size_t written = inlet->length == 0 ? write_some(inlet, bytes, length) : 0;
  written += interrupt(inlet, bytes + written, length - written);
  if (written < length) keep(inlet, bytes + written, length - written);
}

static void give_credit(struct session *session) {
  struct inlet *inlet = &session->in;
  if (session->ended || inlet->consumed < CREDIT_STEP || !channel_has_room()) return;
  uint8_t payload[5] = {STREAM_STDIN};
  put_u32(payload + 1, inlet->consumed);
  channel_send(TYPE_WINDOW, session->id, payload, sizeof payload);
  inlet->credit += inlet->consumed;
  inlet->consumed = 0;
}

void inlet_end(struct session *session) {
  struct inlet *inlet = &session->in;
  if (session->kind == SESSION_GET) agent_fail("STDIN_EOF for session %u, a GET", session->id);
  if (inlet->eof) agent_fail("STDIN_EOF for session %u comes twice", session->id);
  inlet->eof = true;
}

static void pass_end(struct inlet *inlet) {
  if (!inlet->terminal || terminal_end_input(inlet->watch.fd, inlet->in_line)) inlet_close(inlet);
  else ask_again(inlet);
}

void inlet_pump(struct session *session) {
  struct inlet *inlet = &session->in;
  if (inlet->watch.fd >= 0) {
    if (inlet->length > 0) {
      size_t written = write_some(inlet, inlet->data + inlet->start, inlet->length);
      inlet->start += written;
      inlet->length -= written;
    }
    if (inlet->broken) abandon(inlet);
    if (inlet->length == 0) {
      free(inlet->data);
      inlet->data = NULL;
      inlet->start = 0;
      if (inlet->eof) pass_end(inlet);
    } else {
      ask_again(inlet);
    }
  }
  give_credit(session);
}

/* Refused where pipes have a quota, which is no harm. */
static void widen(struct outlet *outlet) {
  if (outlet->widened || outlet->terminal) return;
  outlet->widened = true;
  fcntl(outlet->watch.fd, F_SETPIPE_SZ, WIDE_PIPE);
}

/* Notes what a read gave; true when there may be more at once. */
static bool took(struct outlet *outlet, ssize_t got, int64_t now, int64_t rest) {
  if (got >= (outlet->terminal ? FULL_TERMINAL_READ : FULL_READ)) {
    widen(outlet);
    return true;
  }
  if (got > 0) {
    outlet->rest_until = now + rest;
  } else if (got < 0 && errno == EAGAIN) {
    outlet->readable = false;
    loop_rearm(&outlet->watch);
  } else if (got < 0 && errno == EIO && outlet->terminal) {
    outlet->rest_until = now + TERMINAL_REST_US;
    loop_due(outlet->rest_until);
  } else {
    loop_close(&outlet->watch);
  }
  return false;
}

static bool is_resting(const struct outlet *outlet, int64_t now) {
  if (now >= outlet->rest_until) return false;
  loop_due(outlet->rest_until);
  return true;
}

/* Processes left behind must neither block nor die of SIGPIPE for what they still print. */
static bool discard(struct outlet *outlet, int64_t now) {
  static uint8_t nowhere[65536];
  if (is_resting(outlet, now)) return false;
  ssize_t got = read(outlet->watch.fd, nowhere, sizeof nowhere);
  if (got <= 0) return took(outlet, got, now, 0);
  outlet->rest_until = now + DISCARD_REST_US;
  is_resting(outlet, now);
  return false;
}

bool outlet_pump(struct session *session, int index) {
  struct outlet *outlet = &session->out[index];
  if (outlet->watch.fd < 0 || !outlet->readable) return false;
  int64_t now = now_us();
  if (session->exited) return discard(outlet, now);
  size_t most = outlet->credit < outlet->left ? outlet->credit : outlet->left;
  if (most == 0 || (!session->settled && is_resting(outlet, now))) return false;
  if (!channel_wants_output()) {
    starved = true;
    return false;
  }
  uint8_t type = index == 0 ? TYPE_STDOUT : TYPE_STDERR;
  ssize_t got = channel_send_from(outlet->watch.fd, type, session->id, most);
  if (got > 0) {
    outlet->credit -= (uint32_t)got;
    if (outlet->left != SIZE_MAX) outlet->left -= (size_t)got;
  } else if (session->settled) {
    outlet->left = 0;
  }
  bool more = took(outlet, got, now, REST_US);
  if (got > 0 && !session->settled) is_resting(outlet, now);
  return more || (got > 0 && session->settled);
}

void outlet_bound(struct outlet *outlet) {
  int held = 0;
  /* Of a terminal's output the kernel counts only what it has already pushed to our end. */
  if (outlet->terminal) held = TERMINAL_HOLDS;
  else if (outlet->watch.fd >= 0 && ioctl(outlet->watch.fd, FIONREAD, &held) != 0) held = 0;
  outlet->left = held > 0 ? (size_t)held : 0;
  outlet->readable = true;
}

bool outlet_is_done(const struct outlet *outlet) {
  return outlet->watch.fd < 0 || outlet->left == 0;
}

bool outlets_were_starved(void) {
  bool result = starved;
  starved = false;
  return result;
}
