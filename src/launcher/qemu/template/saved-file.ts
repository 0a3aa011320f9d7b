/** The saved machine as a file: whether it is still, byte for byte, what was saved. */
import {createHash} from 'node:crypto';
import {createReadStream, lstatSync} from 'node:fs';
import {pipeline} from 'node:stream/promises';

/**
 * Changes with every write to the file, with whatever else is done to it, and in a copy of it. A time of change cannot
 * be set: inode(7), st_ctime.
 */
export const identityOf = (path: string): string | undefined => {
  const found = lstatSync(path, {bigint: true, throwIfNoEntry: false});
  if (!found?.isFile()) return undefined;
  const {dev, ino, size, mtimeNs, ctimeNs} = found;
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
};

/** 0 for what is no regular file. */
export const sizeOf = (path: string): number => {
  const found = lstatSync(path, {throwIfNoEntry: false});
  return found?.isFile() ? found.size : 0;
};

const HASH_DEADLINE_MS = 30_000;

/** Its SHA-256 as 64 hex digits. Rejects where that takes too long. */
export const hashFile = async (path: string): Promise<string> => {
  const sum = createHash('sha256');
  const signal = AbortSignal.timeout(HASH_DEADLINE_MS);
  await pipeline(createReadStream(path, {highWaterMark: 1024 * 1024}), sum, {signal});
  return sum.digest('hex');
};
