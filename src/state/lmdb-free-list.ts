import {Damage} from './lmdb-page.js';

/**
 * Free pages are what LMDB writes to next, so they must be in the file and in no use. lmdb-js lists their count first,
 * then their numbers; 0 is an empty place, and -n says that the number behind it is the first of n pages.
 */
export const checkFreePages = (list: Buffer, lastPage: number, used: ReadonlySet<number>): void => {
  const numbers = Array.from({length: Math.floor(list.length / 8)}, (_, index) =>
    Number(list.readBigInt64LE(8 * index)),
  );
  const [count = -1] = numbers;
  if (count < 0 || count >= numbers.length) throw overwritten();
  for (const {start, pages} of runs(numbers.slice(1, count + 1))) {
    if (start < 2 || start + pages - 1 > lastPage) throw overwritten();
    if (isUsed({start, pages}, used)) throw overwritten();
  }
};

interface Run {
  readonly start: number;
  readonly pages: number;
}

/** The shorter way: a damaged run may claim any number of pages. */
const isUsed = ({start, pages}: Run, used: ReadonlySet<number>): boolean => {
  if (pages > used.size) return [...used].some((page) => page >= start && page < start + pages);
  for (let page = start; page < start + pages; page++) if (used.has(page)) return true;
  return false;
};

const runs = (entries: readonly number[]): Run[] =>
  entries.flatMap((entry, index): Run[] => {
    const before = entries[index - 1] ?? 0;
    if (entry === 0) return [];
    if (entry > 0) return before < 0 ? [] : [{start: entry, pages: 1}];
    return [{start: entries[index + 1] ?? 0, pages: -entry}];
  });

const overwritten = (): Damage => new Damage('its list of free pages is overwritten');
