/** Tells krunvm's own words on its standard output from the guest agent's first frame. Pure. */

export interface Preamble {
  /** What krunvm said so far, bounded. */
  readonly words: () => Buffer;
  /** The beginning of the guest agent's bytes, once they have come; before that undefined. */
  readonly push: (chunk: Buffer) => Buffer | undefined;
}

const MAX_WORDS = 64 * 1024;
const HELLO = 1;
const HEAD_BYTES = 9;
const MAX_HELLO = 64 * 1024;

/**
 * krunvm prints its errors as lines of text. The first frame is a HELLO in session 0 at the beginning of a line: its
 * length, of which text has no like, since the fourth byte of one is 0.
 */
export const createPreamble = (): Preamble => {
  let held = Buffer.alloc(0);
  return {
    words: () => held.subarray(0, MAX_WORDS),
    push: (chunk) => {
      held = Buffer.concat([held, chunk]);
      const at = findHello(held);
      if (at >= 0) {
        const rest = held.subarray(at);
        held = held.subarray(0, at);
        return rest;
      }
      if (held.length > MAX_WORDS) held = held.subarray(-MAX_WORDS);
      return undefined;
    },
  };
};

const findHello = (bytes: Buffer): number => {
  for (let at = 0; at >= 0 && at + HEAD_BYTES <= bytes.length; at = nextLine(bytes, at)) {
    if (isHello(bytes, at)) return at;
  }
  return -1;
};

const nextLine = (bytes: Buffer, from: number): number => {
  const end = bytes.indexOf('\n', from);
  return end < 0 ? -1 : end + 1;
};

const isHello = (bytes: Buffer, at: number): boolean =>
  bytes.readUInt32LE(at) <= MAX_HELLO && bytes[at + 4] === HELLO && bytes.readUInt32LE(at + 5) === 0;
