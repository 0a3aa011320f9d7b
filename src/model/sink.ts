/** Where bytes go, at the pace of the one who takes them. */
export interface Sink {
  /** Resolves when the sink is ready for more. */
  readonly write: (chunk: Buffer) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** A count of bytes that several streams share. */
export interface Budget {
  /** The part of `chunk` that still fits. */
  readonly take: (chunk: Buffer) => Buffer;
  readonly isExceeded: () => boolean;
}

export const createBudget = (maxBytes: number): Budget => {
  let left = maxBytes;
  let exceeded = false;
  return {
    take: (chunk) => {
      const kept = chunk.subarray(0, left);
      left -= kept.length;
      exceeded ||= kept.length < chunk.length;
      return kept;
    },
    isExceeded: () => exceeded,
  };
};

/** Keeps the first `maxBytes` in memory. */
export const memorySink = (
  maxBytes: number,
): Sink & {readonly content: () => Buffer; readonly isFull: () => boolean} => {
  const chunks: Buffer[] = [];
  const budget = createBudget(maxBytes);
  return {
    write: async (chunk) => {
      const kept = budget.take(chunk);
      if (kept.length > 0) chunks.push(Buffer.from(kept));
    },
    close: async () => {},
    content: () => Buffer.concat(chunks),
    isFull: budget.isExceeded,
  };
};
