#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bytes.h"
#include "channel/loop.h"
#include "channel/ring.h"
#include "control/end.h"
#include "protocol.h"

/* Room kept for the answer to any one frame and the frames of an ending session. */
#define REPLY_ROOM (16u * 1024u)
#define OUTPUT_MOST (64u * 1024u - FRAME_HEAD_BYTES)
#define OUTPUT_MARK (RING_BYTES / 2)
#define RECEIVE_AT_ONCE (256u * 1024u)

static uint8_t inbox[FRAME_LENGTH_BYTES + FRAME_MAX_LENGTH];
static size_t inbox_used;
static bool readable, blocked;
static int in_fd = -1, out_fd = -1;

static void on_ready(struct watch *watch, uint32_t events);
static struct watch in_watch = {.fd = -1, .ready = on_ready};
static struct watch out_watch = {.fd = -1, .ready = on_ready};

static void on_ready(struct watch *watch, uint32_t events) {
  /* Also with bytes still to be read: nobody is there for the answers. */
  if (events & (EPOLLHUP | EPOLLERR)) agent_host_gone();
  if (watch == &in_watch && (events & EPOLLIN)) readable = true;
  if (events & EPOLLOUT) blocked = false;
}

static void set_nonblocking(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
    agent_fail("channel: %s", strerror(errno));
  }
}

void channel_open(int in, int out) {
  set_nonblocking(in);
  set_nonblocking(out);
  in_fd = in;
  out_fd = out;
  if (!loop_add(&in_watch, in, EPOLLIN)) agent_fail("channel: %s", strerror(errno));
  if (out != in && !loop_add(&out_watch, out, 0)) agent_fail("channel: %s", strerror(errno));
}

static void update_interest(void) {
  uint32_t in = ring_room() >= REPLY_ROOM && !readable ? EPOLLIN : 0;
  uint32_t out = blocked ? EPOLLOUT : 0;
  if (in_fd == out_fd) {
    loop_change(&in_watch, in | out);
  } else {
    loop_change(&in_watch, in);
    loop_change(&out_watch, out);
  }
}

/* A virtio port gives at most a page a read(): several reads make one pass. */
static void fill_inbox(void) {
  size_t taken = 0;
  while (readable && inbox_used < sizeof inbox && taken < RECEIVE_AT_ONCE) {
    ssize_t got = read(in_fd, inbox + inbox_used, sizeof inbox - inbox_used);
    if (got > 0) {
      inbox_used += (size_t)got;
      taken += (size_t)got;
    } else if (got < 0 && errno == EAGAIN) {
      readable = false;
    } else if (got == 0 || errno != EINTR) {
      agent_host_gone();
    }
  }
}

void channel_receive(void (*handle)(const struct frame *frame)) {
  size_t at = 0;
  if (channel_has_room()) fill_inbox();
  while (channel_has_room() && inbox_used - at >= FRAME_LENGTH_BYTES) {
    uint32_t length = get_u32(inbox + at);
    if (length < FRAME_MIN_LENGTH || length > FRAME_MAX_LENGTH) {
      agent_fail("frame of %u bytes, not %u to %u", length, FRAME_MIN_LENGTH, FRAME_MAX_LENGTH);
    }
    if (inbox_used - at < FRAME_LENGTH_BYTES + length) break;
    const uint8_t *head = inbox + at + FRAME_LENGTH_BYTES;
    struct frame frame = {
        .type = head[0],
        .session = get_u32(head + 1),
        .payload = head + FRAME_MIN_LENGTH,
        .length = length - FRAME_MIN_LENGTH,
    };
    handle(&frame);
    at += FRAME_LENGTH_BYTES + length;
  }
  inbox_used -= at;
  if (at > 0 && inbox_used > 0) memmove(inbox, inbox + at, inbox_used);
}

bool channel_pending(void) {
  if (!channel_has_room()) return false;
  if (readable) return true;
  return inbox_used >= FRAME_LENGTH_BYTES && inbox_used - FRAME_LENGTH_BYTES >= get_u32(inbox);
}

bool channel_holds_bytes(void) { return inbox_used > 0; }

bool channel_has_room(void) { return ring_room() >= REPLY_ROOM; }

bool channel_wants_output(void) { return ring_used() < OUTPUT_MARK; }

static void write_head(uint8_t *head, uint8_t type, uint32_t session, size_t length) {
  put_u32(head, (uint32_t)(FRAME_MIN_LENGTH + length));
  head[4] = type;
  put_u32(head + 5, session);
}

void channel_send(uint8_t type, uint32_t session, const void *payload, size_t length) {
  uint8_t head[FRAME_HEAD_BYTES];
  /* Every caller asks channel_has_room() first; losing a frame would be worse than ending. */
  if (ring_room() < FRAME_HEAD_BYTES + length) agent_end(1);
  write_head(head, type, session, length);
  ring_put(head, sizeof head);
  ring_put(payload, length);
}

ssize_t channel_send_from(int fd, uint8_t type, uint32_t session, size_t most) {
  uint8_t head[FRAME_HEAD_BYTES];
  ssize_t got = ring_read(fd, FRAME_HEAD_BYTES, most < OUTPUT_MOST ? most : OUTPUT_MOST);
  if (got <= 0) return got;
  write_head(head, type, session, (size_t)got);
  ring_put(head, sizeof head);
  ring_commit((size_t)got);
  return got;
}

void channel_flush(void) {
  while (!blocked && ring_used() > 0) {
    ssize_t written = ring_write(out_fd);
    if (written > 0) continue;
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno != EAGAIN) agent_host_gone();
    blocked = true;
  }
  update_interest();
}

void channel_drain(int timeout_ms) {
  int64_t deadline = now_ms() + timeout_ms;
  while (out_fd >= 0 && ring_used() > 0 && now_ms() < deadline) {
    struct pollfd wait = {.fd = out_fd, .events = POLLOUT};
    if (poll(&wait, 1, (int)(deadline - now_ms())) <= 0) return;
    ssize_t written = ring_write(out_fd);
    if (written < 0 && errno != EAGAIN && errno != EINTR) return;
  }
}
