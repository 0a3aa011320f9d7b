/* Outgoing bytes, in order: one fixed ring, so that what a guest prints can never grow the agent. */
#ifndef AGENT_RING_H
#define AGENT_RING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RING_BYTES (512u * 1024u)

size_t ring_used(void);
size_t ring_room(void);

/* The caller has checked the room. */
void ring_put(const void *bytes, size_t length);

/* Reads up to `most` bytes of `fd` to behind the next `head` bytes; nothing is appended yet. */
ssize_t ring_read(int fd, size_t head, size_t most);

/* Appends the `length` bytes that ring_read() left behind its head. */
void ring_commit(size_t length);

/* One write() of what is contiguous. */
ssize_t ring_write(int fd);

#endif
