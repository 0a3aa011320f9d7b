/** The tables of docs/guest-protocol.md as data; a test compares the two, and guest/protocol.h with them. */
export const protocolVersion = 1;

export const FrameType = {
  HELLO: 1,
  EXEC: 2,
  STDIN: 3,
  STDIN_EOF: 4,
  STDOUT: 5,
  STDERR: 6,
  EXIT: 7,
  SIGNAL: 8,
  RESIZE: 9,
  WINDOW: 10,
  PUT: 11,
  GET: 12,
  SYNC: 13,
  PING: 14,
  PONG: 15,
  SHUTDOWN: 16,
  ERROR: 17,
  SUSPEND: 18,
  START: 19,
} as const;

/** What the guest may send about the channel itself: session 0. */
export const guestChannelTypes: readonly number[] = [
  FrameType.HELLO,
  FrameType.SYNC,
  FrameType.PONG,
  FrameType.SHUTDOWN,
  FrameType.ERROR,
  FrameType.SUSPEND,
];

/** What the guest may send about a session that is open. */
export const guestSessionTypes: readonly number[] = [
  FrameType.STDOUT,
  FrameType.STDERR,
  FrameType.EXIT,
  FrameType.WINDOW,
];

export const Tag = {
  VERSION: 1,
  KERNEL: 2,
  MACHINE: 3,
  PHASE: 4,
  MEMORY: 5,
  ARG: 16,
  ENV: 17,
  CWD: 18,
  USER: 19,
  TERMINAL: 20,
  PATH: 32,
  MAX_BYTES: 33,
  MAX_ENTRIES: 34,
  FILE: 35,
  CODE: 48,
  SIGNAL: 49,
  OOM: 50,
  CPU: 51,
  MAX_RSS: 52,
  ERRNO: 53,
  REASON: 54,
  ELAPSED: 55,
  LIMITS: 56,
  OUT: 57,
  TIME: 64,
  ENTROPY: 65,
  MACHINE_ID: 66,
  GRACE: 80,
  HOST: 96,
  UPPER: 97,
  PERSIST: 98,
} as const;

export const repeatableTags: readonly number[] = [Tag.PHASE, Tag.ARG, Tag.ENV];

export const StreamNumber = {stdin: 0, stdout: 1, stderr: 2} as const;

/** Bits of LIMITS. */
export const LimitBit = {processes: 1, disk: 2} as const;

export const SignalScopeNumber = {command: 0, everything: 1} as const;

/** Bytes of a frame's length field; what it counts starts behind it. */
export const LENGTH_BYTES = 4;
/** Type and session: what every frame counts in its length besides the payload. */
export const MIN_LENGTH = 5;
export const MAX_LENGTH = 1_048_576;
export const MAX_PAYLOAD = MAX_LENGTH - MIN_LENGTH;
/** Tag and length of a field. */
export const FIELD_HEAD_BYTES = 5;
/** What each stream of a session may send before it is given more, and the most it can ever hold. */
export const INITIAL_CREDIT = 262_144;
/** Of Linux. */
export const MAX_SIGNAL = 64;
export const PING_BYTES = 8;
export const MIN_ENTROPY_BYTES = 32;
export const MAX_ENTROPY_BYTES = 512;
export const MACHINE_ID_BYTES = 16;
/** Of Linux. */
export const MAX_HOST_NAME_BYTES = 64;
