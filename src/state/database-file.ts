/** Reads the database's file without LMDB, page by page, with every step checked. */
import {closeSync, fstatSync, openSync, readSync} from 'node:fs';
import {isDeepStrictEqual} from 'node:util';
import {readNewest, type Snapshot} from './lmdb-meta.js';
import {Damage} from './lmdb-page.js';
import {type ReadPages, type Stored, walkSnapshot} from './lmdb-walk.js';

const LARGEST_PAGE = 65_536;
const ATTEMPTS = 8;

/**
 * What the database holds, in the order of its keys. Undefined where LMDB had better look: at a file that is damaged or
 * empty, and at one that others wrote to all the while.
 */
export const readDatabaseFile = (path: string): readonly Stored[] | undefined =>
  withFile(path, (file) => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const stored = readWhole(file);
      if (stored) return stored;
    }
    return undefined;
  });

/** What is damaged, or undefined where every page that LMDB can reach is as it should be. */
export const findDamage = (path: string): string | undefined =>
  withFile(path, (file) => {
    try {
      walkFile(file, newestOf(file));
      return undefined;
    } catch (error) {
      if (error instanceof Damage) return error.message;
      throw error;
    }
  });

const withFile = <T>(path: string, work: (file: number) => T): T => {
  const file = openSync(path, 'r');
  try {
    return work(file);
  } finally {
    closeSync(file);
  }
};

/** Nobody writes to pages of the newest snapshot: what was the newest before and after reading was read whole. */
const readWhole = (file: number): readonly Stored[] | undefined => {
  try {
    const newest = newestOf(file);
    const stored = newest && walkFile(file, newest);
    return isDeepStrictEqual(newestOf(file), newest) ? stored : undefined;
  } catch (error) {
    if (error instanceof Damage) return undefined;
    throw error;
  }
};

/** Undefined for an empty file, which LMDB makes a new database of. */
const newestOf = (file: number): Snapshot | undefined => {
  const {size} = fstatSync(file);
  if (size === 0) return undefined;
  const newest = readNewest(readAt(file, 0, Math.min(size, 2 * LARGEST_PAGE)));
  if (typeof newest === 'string') throw new Damage(newest);
  return newest;
};

const walkFile = (file: number, newest: Snapshot | undefined): readonly Stored[] => {
  if (!newest) return [];
  const {size} = fstatSync(file);
  const {pageSize} = newest;
  const read: ReadPages = (first, count) =>
    (first + count) * pageSize <= size ? readAt(file, first * pageSize, count * pageSize) : undefined;
  return walkSnapshot(newest, read);
};

const readAt = (file: number, offset: number, length: number): Buffer => {
  const content = Buffer.alloc(length);
  return content.subarray(0, readSync(file, content, 0, length, offset));
};
