/** Walks a snapshot's B-trees as LMDB would, with every step checked. */
import {checkFreePages} from './lmdb-free-list.js';
import type {Snapshot, Tree} from './lmdb-meta.js';
import {
  checkHeader,
  Damage,
  type Entry,
  type OverflowReference,
  overflowPages,
  readBranch,
  readLeaf,
  readOverflow,
} from './lmdb-page.js';

/** The bytes of so many pages; undefined where the file does not hold them. */
export type ReadPages = (first: number, count: number) => Buffer | undefined;

/** What is stored under a key. */
export interface Stored {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** All that a snapshot holds, in the order of its keys. Throws Damage where LMDB would leave the file. */
export const walkSnapshot = (snapshot: Snapshot, read: ReadPages): readonly Stored[] => {
  const walk: Walk = {snapshot, read, seen: new Set()};
  const stored = walkTree(walk, snapshot.main, compareBytes);
  const lists = walkTree(walk, snapshot.free, compareNumbers);
  for (const {value} of lists) checkFreePages(value, snapshot.lastPage, walk.seen);
  return stored;
};

interface Walk {
  readonly snapshot: Snapshot;
  readonly read: ReadPages;
  /** Pages in use. Each is in one place only, so the walk ends. */
  readonly seen: Set<number>;
}

type Compare = (a: Buffer, b: Buffer) => number;

const walkTree = (walk: Walk, tree: Tree, compare: Compare): readonly Stored[] => {
  const count = {branches: 0, leaves: 0, overflows: 0, entries: 0};
  const stored: Stored[] = [];
  let previous: Buffer | undefined;
  const visitEntry = ({key, value}: Entry): void => {
    if (previous && compare(previous, key) >= 0) throw new Damage('its keys are out of order');
    previous = key;
    count.entries++;
    if ('pages' in value) count.overflows += value.pages;
    stored.push({key, value: 'pages' in value ? readLong(walk, value) : value});
  };
  const visit = (number: number, depth: number): void => {
    const page = take(walk, number, 1);
    if (depth === tree.depth) {
      count.leaves++;
      for (const entry of readLeaf(page, number)) visitEntry(entry);
    } else {
      count.branches++;
      for (const child of readBranch(page, number)) visit(child, depth + 1);
    }
  };
  if (tree.root !== undefined) visit(tree.root, 1);
  const isComplete =
    count.branches === tree.branches &&
    count.leaves === tree.leaves &&
    count.overflows === tree.overflows &&
    count.entries === tree.entries;
  if (!isComplete) throw new Damage('entries are missing');
  return stored;
};

const readLong = (walk: Walk, reference: OverflowReference): Buffer => {
  const {page, pages, bytes} = reference;
  if (pages !== overflowPages(bytes, walk.snapshot.pageSize)) throw new Damage('a long value is overwritten');
  return readOverflow(take(walk, page, pages), reference);
};

const take = ({snapshot, read, seen}: Walk, number: number, count: number): Buffer => {
  if (number < 2 || number + count - 1 > snapshot.lastPage) throw new Damage(`there is no page ${number}`);
  const pages = read(number, count);
  if (!pages) throw new Damage(`it was cut short: page ${number} is missing`);
  for (let each = number; each < number + count; each++) {
    if (seen.has(each)) throw new Damage(`page ${each} is in two places`);
    seen.add(each);
  }
  checkHeader(pages, number, snapshot.transaction);
  return pages;
};

const compareBytes: Compare = (a, b) => Buffer.compare(a, b);

/** Keys of the free list are transaction numbers. */
const compareNumbers: Compare = (a, b) => {
  if (a.length !== 8 || b.length !== 8) return 0;
  return a.readBigUInt64LE() < b.readBigUInt64LE() ? -1 : 1;
};
