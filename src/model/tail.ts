/** The last bytes of a stream. */
export interface Tail {
  readonly push: (chunk: Buffer) => void;
  readonly bytes: () => Buffer;
}

/** The last `size` bytes of a stream, in at most twice the memory. */
export const createTail = (size: number): Tail => {
  const ring = Buffer.alloc(size);
  let written = 0;
  return {
    push: (chunk) => {
      const kept = chunk.subarray(-size);
      const at = (written + chunk.length - kept.length) % size;
      const head = kept.copy(ring, at);
      kept.copy(ring, 0, head);
      written += chunk.length;
    },
    bytes: () => {
      const at = written % size;
      return written < size
        ? Buffer.from(ring.subarray(0, written))
        : Buffer.concat([ring.subarray(at), ring.subarray(0, at)]);
    },
  };
};
