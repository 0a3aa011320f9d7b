import {existsSync} from 'node:fs';
import {delimiter, join} from 'node:path';

/** Where a program of this machine lies, for folders that stand for a PATH. */
export const whereIs = (name: string): string => {
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(existsSync);
  if (found === undefined) throw new Error(`${name} is not installed`);
  return found;
};
