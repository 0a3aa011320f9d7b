import {closeSync, fstatSync, openSync, readSync} from 'node:fs';
import {lastLinesOf} from '../guest/console-lines.js';

const READ_BYTES = 64 * 1024;

/** The last lines of a VM's console.log; none where it cannot be read. */
export const readLastLines = (path: string): string[] => {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const {size} = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, READ_BYTES));
    const read = readSync(file, bytes, 0, bytes.length, size - bytes.length);
    return lastLinesOf(bytes.subarray(0, read));
  } catch {
    return []; // the error that these are for tells more
  } finally {
    if (file !== undefined) closeSync(file);
  }
};
