/** The meta pages of a database as lmdb-js 3 writes them: a page header of 24 bytes, then MDB_meta (mdb.c). */
export const HEADER_BYTES = 24;
const META_END = 160;
const META_PAGES = 2;

const at = {
  flags: 18,
  magic: 24,
  version: 28,
  address: 32,
  free: 48,
  main: 96,
  lastPage: 144,
  transaction: 152,
};
const inTree = {
  pageSize: 0,
  flags: 4,
  depth: 6,
  branches: 8,
  leaves: 16,
  overflows: 24,
  entries: 32,
  root: 40,
};

const META_PAGE = 0x08;
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
// MDB_INTEGERKEY of the free list; MDB_NOSUBDIR and lmdb-js's MDB_OVERLAPPINGSYNC of the environment beside it.
const KNOWN_FLAGS = 0x0008 | 0x1000 | 0x4000;
const MAX_DEPTH = 32;
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

/** One B-tree: where it begins, and what LMDB has counted in it. */
export interface Tree {
  /** Page number; undefined for an empty tree. */
  readonly root: number | undefined;
  readonly depth: number;
  readonly branches: number;
  readonly leaves: number;
  readonly overflows: number;
  readonly entries: number;
}

/** What one committed transaction left. */
export interface Snapshot {
  readonly transaction: bigint;
  readonly pageSize: number;
  /** Number of the last page in use. */
  readonly lastPage: number;
  readonly free: Tree;
  readonly main: Tree;
}

/** The newest snapshot; a sentence where the beginning of the file is not that of a database. */
export const readNewest = (beginning: Buffer): Snapshot | string => {
  if (beginning.length < META_END) return 'it is not an LMDB database';
  const pageSize = beginning.readUInt32LE(at.free + inTree.pageSize);
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0)
    return 'it is not an LMDB database';
  if (beginning.length < META_PAGES * pageSize) return 'it was cut short';
  const metas = [readMeta(beginning, pageSize), readMeta(beginning.subarray(pageSize), pageSize)];
  const flushed = beginning.subarray(pageSize / 2);
  // lmdb-js keeps a third one, of the last flushed transaction, in the first page; it also reads the map's size there.
  if (flushed.readUInt32LE(at.free + inTree.pageSize) !== 0) metas.push(readFields(flushed, pageSize));
  const bad = metas.find((meta) => typeof meta === 'string');
  const [newest] = metas
    .filter((meta) => typeof meta !== 'string')
    .slice(0, META_PAGES)
    .sort((a, b) => Number(b.transaction - a.transaction));
  return bad ?? newest ?? 'it is not an LMDB database';
};

const readMeta = (page: Buffer, pageSize: number): Snapshot | string => {
  const isMeta =
    page.readUInt16LE(at.flags) === META_PAGE &&
    page.readUInt32LE(at.magic) === MAGIC &&
    (page.readUInt32LE(at.version) & 0xffff) === DATA_VERSION &&
    page.readBigUInt64LE(at.address) === 0n;
  return isMeta ? readFields(page, pageSize) : 'a meta page is overwritten';
};

const readFields = (page: Buffer, pageSize: number): Snapshot | string => {
  const lastPage = Number(page.readBigUInt64LE(at.lastPage));
  const [free, main] = [readTree(page.subarray(at.free)), readTree(page.subarray(at.main))];
  const flags = page.readUInt16LE(at.free + inTree.flags) | page.readUInt16LE(at.main + inTree.flags);
  const isPlausible =
    page.readUInt32LE(at.free + inTree.pageSize) === pageSize &&
    page.readUInt32LE(at.main + inTree.pageSize) === 0 &&
    (flags & ~KNOWN_FLAGS) === 0 &&
    page.readUInt16LE(at.main + inTree.flags) === 0 &&
    Number.isSafeInteger(lastPage * pageSize) &&
    [free, main].every((tree) => tree.depth <= MAX_DEPTH && (tree.root ?? META_PAGES) >= META_PAGES);
  if (!isPlausible) return 'a meta page is overwritten';
  return {transaction: page.readBigUInt64LE(at.transaction), pageSize, lastPage, free, main};
};

const readTree = (fields: Buffer): Tree => {
  const count = (offset: number): number => Number(fields.readBigUInt64LE(offset));
  return {
    root: fields.readBigUInt64LE(inTree.root) === NO_PAGE ? undefined : count(inTree.root),
    depth: fields.readUInt16LE(inTree.depth),
    branches: count(inTree.branches),
    leaves: count(inTree.leaves),
    overflows: count(inTree.overflows),
    entries: count(inTree.entries),
  };
};
