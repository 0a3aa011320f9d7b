import {closeSync, fstatSync, openSync, readSync} from 'node:fs';
import {AgentError} from '../model/errors.js';

// Layout of a meta page as lmdb-js 3 writes it: a header of 24 bytes, then MDB_meta (mdb.c).
const META_BYTES = 160;
const at = {magic: 24, pageSize: 48, lastPage: 144, transaction: 152} as const;
const MAGIC = 0xbeefc0de;

interface Meta {
  readonly pageSize: number;
  readonly lastPage: bigint;
  readonly transaction: bigint;
}

/**
 * Throws STATE_CORRUPT for a file that is no LMDB database or that was cut short. LMDB maps the file into memory and
 * would end the process with a signal instead of an error.
 */
export const checkDatabaseFile = (path: string): void => {
  const file = openSync(path, 'r');
  try {
    const {size} = fstatSync(file);
    if (size === 0) return;
    const first = readMeta(file, 0, size);
    const second = first && readMeta(file, first.pageSize, size);
    if (!first || !second) throw corrupt(path, 'it is not an LMDB database');
    const newest = first.transaction > second.transaction ? first : second;
    const needed = (newest.lastPage + 1n) * BigInt(newest.pageSize);
    if (BigInt(size) < needed) throw corrupt(path, `it was cut short: ${size} bytes of ${needed}`);
  } finally {
    closeSync(file);
  }
};

const readMeta = (file: number, offset: number, size: number): Meta | undefined => {
  const page = Buffer.alloc(META_BYTES);
  if (offset + META_BYTES > size || readSync(file, page, 0, META_BYTES, offset) < META_BYTES)
    return undefined;
  const pageSize = page.readUInt32LE(at.pageSize);
  const plausible = page.readUInt32LE(at.magic) === MAGIC && pageSize >= 512 && pageSize <= 65_536;
  if (!plausible) return undefined;
  return {
    pageSize,
    lastPage: page.readBigUInt64LE(at.lastPage),
    transaction: page.readBigUInt64LE(at.transaction),
  };
};

export const corrupt = (path: string, seen: string, cause?: unknown): AgentError =>
  new AgentError('STATE_CORRUPT', `The state database '${path}' is damaged: ${seen}.`, {
    cause,
    hints: [
      `move it away to start afresh: mv '${path}' '${path}.damaged'`,
      'the files of the VMs stay in vms/ beside it until agent vm clean --all removes them',
    ],
  });
