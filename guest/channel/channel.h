/* The byte stream to the host: frames in, frames out, never reordered, bounded both ways. */
#ifndef AGENT_CHANNEL_H
#define AGENT_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct frame {
  uint8_t type;
  uint32_t session;
  const uint8_t *payload;
  size_t length;
};

/* The two may be the same file. */
void channel_open(int in, int out);

/* Hands whole frames to `handle` while there is room for the answers. */
void channel_receive(void (*handle)(const struct frame *frame));

/* True when channel_receive() has something to do without a new event. */
bool channel_pending(void);

/* True when bytes of the host's have come that no frame has been made of. */
bool channel_holds_bytes(void);

/* False while the host is behind: keep small frames for later. */
bool channel_has_room(void);

/* False while output already waits for the host: leave it in the pipes. */
bool channel_wants_output(void);

void channel_send(uint8_t type, uint32_t session, const void *payload, size_t length);

/* Makes one frame of what `fd` holds, at most `most` bytes; the result is that of read(). */
ssize_t channel_send_from(int fd, uint8_t type, uint32_t session, size_t most);

void channel_flush(void);

/* Before the end: waits for the host to take everything, at most so long. */
void channel_drain(int timeout_ms);

#endif
