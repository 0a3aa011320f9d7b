/*
 * Feeds the guest agent's own code with damaged frames and archives, in one process and with the
 * sanitizers on. Real are: channel, ring, dispatch, fields, the table of sessions with its streams and
 * endings, EXEC, PUT and GET up to their spawn, terminals, SYNC, SHUTDOWN, SUSPEND and START up to what
 * they do to the guest, HELLO, and the reader of archives.
 * The `unit-*.c` files hold those of them that must forget their state between two cases. `replaced.c`
 * stands for: the end of the agent (goes on with the next case), spawn (a session gets real pipes, or a
 * real terminal, but no child), descendants and cgroups (there are no processes), reports of a child,
 * reaping, disks and roots, the machine id, kill, clock_settime, sync and what feeds the kernel's entropy.
 */
#ifndef FUZZ_HARNESS_H
#define FUZZ_HARNESS_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* random.c: each case has a seed of its own, so that one can be repeated alone. */
void random_seed(uint64_t seed);
uint32_t random_below(uint32_t limit);
void random_fill(uint8_t *bytes, size_t length);

/* Changes bytes in place or moves them; the new length, at most `most`. */
size_t damage(uint8_t *bytes, size_t length, size_t most);

/* generate.c */
#define FRAMES_MOST 24u
#define STREAM_MOST (8u * 1024u * 1024u)

struct stream_made {
  size_t length;
  uint32_t frames;
  uint32_t damaged[FRAMES_MOST + 1]; /* of so many first frames */
  size_t pause; /* the host waits for an answer behind so many bytes; 0 where it does not */
};

/* Frames as a host sends them, some of them damaged. */
struct stream_made make_stream(uint8_t *bytes);

/* archive.c: one archive, damaged, through the reader; true when it was read to its end. */
bool read_archive(void);

/* replaced.c */
extern jmp_buf case_end;

/* Why the agent ended: its own words, or NULL. */
extern const char *end_reason;

/* Some sessions' commands end now. */
void end_some_sessions(void);
void forget_children(void);

/* output.c: what the agent has sent is checked; anything but sound frames ends the harness. */
void output_reset(void);
void output_take(const uint8_t *bytes, size_t length);

/* The units. */
void channel_reset(void);
void channel_has_more(void);
void ring_reset(void);
void dispatch_reset(void);
void sessions_reset(void);
void shutdown_reset(void);
void suspend_reset(void);
void tar_reset(void);

_Noreturn void harness_fail(const char *what);

#endif
