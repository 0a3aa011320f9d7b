/* fuzz FRAMES SEED: so many damaged frames, and an archive for each ten of them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sanitizer/common_interface_defs.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel/channel.h"
#include "channel/dispatch.h"
#include "channel/loop.h"
#include "control/shutdown.h"
#include "control/suspend.h"
#include "harness.h"
#include "session/session.h"
#include "session/spawn.h"

#define SOCKET_BYTES (4 * 1024 * 1024)
#define CASE_SECONDS 20
#define STUCK_STEPS 2000

static struct {
  uint64_t seed;
  unsigned long long cases, received, damaged, refused, archives, whole;
} now;
static int host = -1, guest = -1;
static uint8_t bytes[STREAM_MOST];

static void say_case(void) {
  char text[120];
  int length = snprintf(text, sizeof text, "fuzz: in the case of --seed %llu, after %llu cases\n",
                        (unsigned long long)now.seed, now.cases);
  ssize_t written = write(STDERR_FILENO, text, (size_t)length);
  (void)written;
}

_Noreturn void harness_fail(const char *what) {
  fprintf(stderr, "fuzz: %s\n", what);
  say_case();
  abort();
}

static void on_alarm(int number) {
  (void)number;
  static const char text[] = "fuzz: the agent does not go on\n";
  ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
  (void)written;
  say_case();
  _exit(3);
}

static void handle(const struct frame *frame) {
  now.received++;
  dispatch(frame);
}

static void drain(void) {
  static uint8_t sent[256 * 1024];
  ssize_t got;
  while ((got = recv(host, sent, sizeof sent, MSG_DONTWAIT)) > 0) output_take(sent, (size_t)got);
}

static void step(void) {
  channel_has_more();
  if (random_below(3) == 0) end_some_sessions();
  channel_receive(handle);
  sessions_pump();
  if (random_below(2) == 0) sessions_sweep();
  shutdown_step();
  suspend_step();
  channel_flush();
  drain();
}

/* In pieces, so that frames arrive cut anywhere. */
static void send_all(size_t length, size_t pause) {
  uint32_t steps = 0;
  for (size_t at = 0; at < length;) {
    size_t piece = random_below(3) == 0 ? 1 + random_below(30) : 1 + random_below(20000);
    if (piece > length - at) piece = length - at;
    if (at < pause && piece > pause - at) piece = pause - at;
    ssize_t sent = send(host, bytes + at, piece, MSG_DONTWAIT);
    if (sent > 0) at += (size_t)sent;
    step();
    if (++steps > STUCK_STEPS) harness_fail("the agent takes no more");
  }
  for (int i = 0; i < 3; i++) step();
}

static void forget_all(void) {
  static uint8_t rest[64 * 1024];
  sessions_reset();
  forget_children();
  channel_reset();
  ring_reset();
  dispatch_reset();
  shutdown_reset();
  suspend_reset();
  output_reset();
  while (recv(host, rest, sizeof rest, MSG_DONTWAIT) > 0) continue;
  while (recv(guest, rest, sizeof rest, MSG_DONTWAIT) > 0) continue;
}

/* Then no frame was handed over. */
static bool is_refused_length(void) {
  return end_reason != NULL && strncmp(end_reason, "frame of ", 9) == 0;
}

static void run_case(void) {
  random_seed(now.seed);
  alarm(CASE_SECONDS);
  if (random_below(10) == 0) {
    now.whole += read_archive();
    now.archives++;
    return;
  }
  forget_all();
  struct stream_made made = make_stream(bytes);
  end_reason = NULL;
  unsigned long long before = now.received;
  if (setjmp(case_end) == 0) send_all(made.length, made.pause);
  /* Of a stream that was refused, only what came before its end counts, and the frame that ended it. */
  unsigned long long taken = now.received - before + (is_refused_length() ? 1 : 0);
  now.damaged += made.damaged[taken < made.frames ? taken : made.frames];
  if (end_reason != NULL) now.refused++;
}

static void open_channel(void) {
  int ends[2], size = SOCKET_BYTES;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) harness_fail("socketpair");
  host = ends[0];
  guest = ends[1];
  for (int i = 0; i < 2; i++) setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  channel_open(guest, guest);
}

/* What a case has allocated when the agent would have ended is not freed: the process is to be a short one. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0:allocator_release_to_os_interval_ms=1000"; }

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: fuzz FRAMES SEED\n");
    return 2;
  }
  unsigned long long wanted = strtoull(argv[1], NULL, 10);
  now.seed = strtoull(argv[2], NULL, 10);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGALRM, on_alarm);
  __sanitizer_set_death_callback(say_case);
  loop_open();
  open_channel();
  do {
    run_case();
    now.cases++;
    now.seed++;
  } while (now.damaged < wanted);
  printf("{\"cases\":%llu,\"frames\":%llu,\"damaged\":%llu,\"refused\":%llu,\"archives\":%llu,\"whole\":%llu}\n",
         now.cases, now.received, now.damaged, now.refused, now.archives, now.whole);
  return 0;
}
