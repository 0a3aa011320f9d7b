/** Where a command's output goes: any number of sinks behind one bound. */
import type {Readable} from 'node:stream';
import type {Sink} from '../model/sink.js';

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

/** Copies a stream of the guest to the sinks; what is over the budget is read and dropped. */
export const pump = async (stream: Readable, sinks: readonly Sink[], budget: Budget): Promise<void> => {
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const kept = budget.take(chunk);
    if (kept.length > 0) for (const sink of sinks) await sink.write(kept);
  }
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
