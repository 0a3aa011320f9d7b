/** One page of a B-tree, decoded with every offset checked (mdb.c: MDB_page_header, MDB_node, MDB_ovpage). */
import {HEADER_BYTES} from './lmdb-meta.js';

const at = {number: 0, transaction: 8, flags: 18, lower: 20, upper: 22, pages: 20} as const;
const BRANCH = 0x01;
const LEAF = 0x02;
const OVERFLOW = 0x04;
const NODE_BYTES = 8;
const OVERFLOW_REFERENCE_BYTES = 24;
const IS_OVERFLOWING = 0x01;

/** Its message ends the sentence "The state database is damaged: …". */
export class Damage extends Error {}

export interface Entry {
  readonly key: Buffer;
  /** The value, or where it lies in pages of its own. */
  readonly value: Buffer | OverflowReference;
}

export interface OverflowReference {
  readonly page: number;
  readonly pages: number;
  readonly bytes: number;
}

/** No page is younger than its snapshot: LMDB would take a younger one for its own and write to it. */
export const checkHeader = (page: Buffer, number: number, transaction: bigint): void => {
  const isIt = page.readBigUInt64LE(at.number) === BigInt(number);
  if (!isIt || page.readBigUInt64LE(at.transaction) > transaction) throw overwritten(number);
};

const overwritten = (number: number): Damage => new Damage(`page ${number} is overwritten`);

/** The value at the beginning of its pages. */
export const readOverflow = (pages: Buffer, {page, pages: count, bytes}: OverflowReference): Buffer => {
  const isIt = pages.readUInt16LE(at.flags) === OVERFLOW && pages.readUInt32LE(at.pages) === count;
  if (!isIt) throw overwritten(page);
  return pages.subarray(HEADER_BYTES, HEADER_BYTES + bytes);
};

/** Pages that a value of so many bytes takes. */
export const overflowPages = (bytes: number, pageSize: number): number =>
  Math.floor((HEADER_BYTES - 1 + bytes) / pageSize) + 1;

/** The page numbers of its children. */
export const readBranch = (page: Buffer, number: number): readonly number[] =>
  readNodes(page, number, {kind: BRANCH, leastEntries: 2}).map(({low, flags}) => low + flags * 2 ** 32);

export const readLeaf = (page: Buffer, number: number): readonly Entry[] =>
  readNodes(page, number, {kind: LEAF, leastEntries: 1}).map(({key, rest, low, flags}) => ({
    key,
    value: flags === IS_OVERFLOWING ? overflowReference(rest, low) : rest,
  }));

const overflowReference = (rest: Buffer, bytes: number): OverflowReference => ({
  page: Number(rest.readBigUInt64LE(0)),
  pages: Number(rest.readBigUInt64LE(16)),
  bytes,
});

interface Node {
  /** The size of a value, or the low half of a child's page number. */
  readonly low: number;
  readonly flags: number;
  readonly key: Buffer;
  /** What follows the key. */
  readonly rest: Buffer;
  readonly start: number;
  readonly end: number;
}

interface Expected {
  readonly kind: number;
  readonly leastEntries: number;
}

const readNodes = (page: Buffer, number: number, {kind, leastEntries}: Expected): readonly Node[] => {
  const body = page.subarray(HEADER_BYTES);
  const [lower, upper] = [page.readUInt16LE(at.lower), page.readUInt16LE(at.upper)];
  const isKind = page.readUInt16LE(at.flags) === kind;
  const isInside = lower % 2 === 0 && lower <= upper && upper <= body.length;
  if (!isKind || !isInside || lower < 2 * leastEntries) throw overwritten(number);
  const nodes = Array.from({length: lower / 2}, (_, index) =>
    readNode(body, body.readUInt16LE(2 * index), kind),
  );
  const known = nodes.filter((node) => node !== undefined);
  if (known.length < nodes.length || !arePacked(known, upper, body.length)) throw overwritten(number);
  return known;
};

const readNode = (body: Buffer, start: number, kind: number): Node | undefined => {
  if (start % 2 !== 0 || start + NODE_BYTES > body.length) return undefined;
  const [low, flags] = [body.readUInt32LE(start), body.readUInt16LE(start + 4)];
  const keyEnd = start + NODE_BYTES + body.readUInt16LE(start + 6);
  const end = keyEnd + (kind === LEAF ? valueBytes(low, flags) : 0);
  if (end > body.length) return undefined;
  const key = body.subarray(start + NODE_BYTES, keyEnd);
  return {low, flags, key, rest: body.subarray(keyEnd, end), start, end: end + (end % 2)};
};

const valueBytes = (low: number, flags: number): number => {
  if (flags === IS_OVERFLOWING) return OVERFLOW_REFERENCE_BYTES;
  return flags === 0 ? low : Number.POSITIVE_INFINITY; // named databases and duplicates: we have none
};

/** The nodes lie one behind the other, from `upper` to the end of the page. */
const arePacked = (nodes: readonly Node[], upper: number, bodyEnd: number): boolean => {
  let next = upper;
  for (const node of [...nodes].sort((a, b) => a.start - b.start)) {
    if (node.start !== next) return false;
    next = node.end;
  }
  return next === bodyEnd;
};
