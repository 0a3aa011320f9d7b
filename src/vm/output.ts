import type {Readable} from 'node:stream';
import type {Budget, Sink} from '../model/sink.js';

/** Copies a stream of the guest to the sinks; what is over the budget is read and dropped. */
export const pump = async (stream: Readable, sinks: readonly Sink[], budget: Budget): Promise<void> => {
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const kept = budget.take(chunk);
    if (kept.length > 0) for (const sink of sinks) await sink.write(kept);
  }
};
