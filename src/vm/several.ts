/** Work on many VMs: enough of them at a time to keep the machine busy, and few enough for each to keep its deadlines. */
import {availableParallelism} from 'node:os';

/** Does `work` on each, at most so many at a time. Results in order. */
export const several = async <T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> => {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({length: Math.min(atOnce, items.length)}, worker));
  return results;
};

/** A boot computes: more at once than the cores can bear end no sooner, and each takes longer, up to its deadline. */
export const bootsAtOnce = (): number => Math.max(4, 2 * availableParallelism());

/** To end a VM is to wait for its guest more than to compute, but the guest computes too. */
export const endingsAtOnce = (): number => Math.max(16, 4 * availableParallelism());

/** Who is connected to, or asked how it is, has little time to answer. */
export const questionsAtOnce = 16;

export interface Gate {
  /** Resolves when there is a place, with what gives it back; that may be called again, to no effect. */
  readonly enter: () => Promise<() => void>;
}

/** Lets so many in at a time; the others wait in line. */
export const createGate = (places: number): Gate => {
  const waiting: (() => void)[] = [];
  let free = places;
  const passOn = (): void => {
    const next = waiting.shift();
    if (next) next();
    else free++;
  };
  return {
    enter: async () => {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let isInside = true;
      return () => {
        if (isInside) passOn();
        isInside = false;
      };
    },
  };
};
