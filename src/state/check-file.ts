import {closeSync, fstatSync, openSync, readSync} from 'node:fs';
import {AgentError} from '../model/errors.js';
import {readNewest} from './lmdb-meta.js';
import {findDamage, type ReadPages} from './lmdb-walk.js';

const LARGEST_PAGE = 65_536;
const ATTEMPTS = 8;
const PAUSE_MS = 5;

/**
 * Throws STATE_CORRUPT for a file that is no LMDB database, that was cut short or overwritten. LMDB maps the file into
 * memory, follows what is written there, and would end the process with a signal instead of an error.
 */
export const checkDatabaseFile = (path: string): void => {
  const file = openSync(path, 'r');
  try {
    const damage = repeatedly(() => examine(file));
    if (damage !== undefined) throw corrupt(path, damage);
  } finally {
    closeSync(file);
  }
};

const examine = (file: number): string | undefined => {
  const {size} = fstatSync(file);
  if (size === 0) return undefined;
  const newest = readNewest(readAt(file, 0, Math.min(size, 2 * LARGEST_PAGE)));
  if (typeof newest === 'string') return newest;
  const {pageSize} = newest;
  const read: ReadPages = (first, count) =>
    (first + count) * pageSize <= size ? readAt(file, first * pageSize, count * pageSize) : undefined;
  return findDamage(newest, read);
};

/** Somebody may be writing: pages that the newest snapshot has let go are written to before the next one is there. */
const repeatedly = (look: () => string | undefined): string | undefined => {
  let damage = look();
  for (let attempt = 1; damage !== undefined && attempt < ATTEMPTS; attempt++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    damage = look();
  }
  return damage;
};

const readAt = (file: number, offset: number, length: number): Buffer => {
  const content = Buffer.alloc(length);
  return content.subarray(0, readSync(file, content, 0, length, offset));
};

export const corrupt = (path: string, seen: string, cause?: unknown): AgentError =>
  new AgentError('STATE_CORRUPT', `The state database '${path}' is damaged: ${seen}.`, {
    cause,
    hints: [
      `move it away to start afresh: mv '${path}' '${path}.damaged'`,
      'the files of the VMs stay in vms/ beside it until agent vm clean --all removes them',
    ],
  });
