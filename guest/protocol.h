/* The guest's half of docs/guest-protocol.md: the same numbers as its tables. */
#ifndef AGENT_PROTOCOL_H
#define AGENT_PROTOCOL_H

#define PROTOCOL_VERSION 1u

/* Length counts type, session and payload, not itself. */
#define FRAME_LENGTH_BYTES 4u
#define FRAME_HEAD_BYTES 9u
#define FRAME_MIN_LENGTH 5u
#define FRAME_MAX_LENGTH 1048576u

#define INITIAL_CREDIT 262144u

enum frame_type {
  TYPE_HELLO = 1,
  TYPE_EXEC = 2,
  TYPE_STDIN = 3,
  TYPE_STDIN_EOF = 4,
  TYPE_STDOUT = 5,
  TYPE_STDERR = 6,
  TYPE_EXIT = 7,
  TYPE_SIGNAL = 8,
  TYPE_RESIZE = 9,
  TYPE_WINDOW = 10,
  TYPE_PUT = 11,
  TYPE_GET = 12,
  TYPE_SYNC = 13,
  TYPE_PING = 14,
  TYPE_PONG = 15,
  TYPE_SHUTDOWN = 16,
  TYPE_ERROR = 17,
  TYPE_SUSPEND = 18,
  TYPE_START = 19,
};

enum field_tag {
  TAG_VERSION = 1,
  TAG_KERNEL = 2,
  TAG_MACHINE = 3,
  TAG_PHASE = 4,
  TAG_MEMORY = 5,
  TAG_ARG = 16,
  TAG_ENV = 17,
  TAG_CWD = 18,
  TAG_USER = 19,
  TAG_TERMINAL = 20,
  TAG_PATH = 32,
  TAG_MAX_BYTES = 33,
  TAG_MAX_ENTRIES = 34,
  TAG_FILE = 35,
  TAG_CODE = 48,
  TAG_SIGNAL = 49,
  TAG_OOM = 50,
  TAG_CPU = 51,
  TAG_MAX_RSS = 52,
  TAG_ERRNO = 53,
  TAG_REASON = 54,
  TAG_ELAPSED = 55,
  TAG_LIMITS = 56,
  TAG_OUT = 57,
  TAG_TIME = 64,
  TAG_ENTROPY = 65,
  TAG_MACHINE_ID = 66,
  TAG_GRACE = 80,
  TAG_HOST = 96,
  TAG_UPPER = 97,
  TAG_PERSIST = 98,
};

enum stream { STREAM_STDIN = 0, STREAM_STDOUT = 1, STREAM_STDERR = 2 };

#endif
