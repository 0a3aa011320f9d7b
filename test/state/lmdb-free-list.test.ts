import {expect, it} from 'vitest';
import {checkFreePages} from '../../src/state/lmdb-free-list.js';

/** As lmdb-js writes one: how many numbers follow, and then these. */
const list = (...numbers: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(8 * (numbers.length + 1));
  for (const [index, number] of [numbers.length, ...numbers].entries())
    bytes.writeBigInt64LE(BigInt(number), 8 * index);
  return bytes;
};

it('takes pages that are in the file and in no use', () => {
  expect(() => checkFreePages(list(0, 7, -3, 9), 20, new Set([2, 3, 12]))).not.toThrow();
});

it.each([
  ['in use', [7]],
  ['in a run with one in use', [-4, 9]],
  ['behind the end', [21]],
  ['a meta page', [1]],
])('refuses a page that is %s', (_, numbers) => {
  expect(() => checkFreePages(list(...numbers), 20, new Set([2, 7, 12]))).toThrow('free pages');
});

it('does not count through a run that is as long as it likes', () => {
  const most = 2 ** 40;
  expect(() => checkFreePages(list(-(most - 10), 3), most, new Set([2]))).not.toThrow();
  expect(() => checkFreePages(list(-(most - 10), 3), most, new Set([2, 5]))).toThrow('free pages');
});
