/** The saved machine as a file: whether it is still, byte for byte, what was saved. */
import {createHash} from 'node:crypto';
import {createReadStream, statSync} from 'node:fs';
import {pipeline} from 'node:stream/promises';

/**
 * Changes with every write to the file, with whatever else is done to it, and in a copy of it. A time of change cannot
 * be set: inode(7), st_ctime.
 */
export const identityOf = (path: string): string | undefined => {
  const found = statSync(path, {bigint: true, throwIfNoEntry: false});
  if (!found) return undefined;
  const {dev, ino, size, mtimeNs, ctimeNs} = found;
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
};

/** Its SHA-256 as 64 hex digits. */
export const hashFile = async (path: string, signal?: AbortSignal): Promise<string> => {
  const sum = createHash('sha256');
  await pipeline(createReadStream(path, {highWaterMark: 1024 * 1024}), sum, {signal});
  return sum.digest('hex');
};
