import {lstat, readdir, stat} from 'node:fs/promises';
import {dirname, resolve} from 'node:path';
import {usageError} from '../model/errors.js';

/** Refuses a folder for /out in which something would be lost, or that could not be made. */
export const checkOutFolder = async (folder: string): Promise<void> => {
  const found = await lstat(folder).catch(() => null);
  if (!found) return await checkParent(folder);
  if (!found.isDirectory()) {
    throw usageError(`--out '${folder}' is not a folder.`, 'name a new folder, or an empty one');
  }
  if ((await readdir(folder)).length > 0) {
    throw usageError(
      `--out '${folder}' is not empty.`,
      'name a new folder, or an empty one: nothing in it is replaced',
    );
  }
};

const checkParent = async (folder: string): Promise<void> => {
  const parent = dirname(resolve(folder));
  const found = await stat(parent).catch(() => null);
  if (found?.isDirectory()) return;
  throw usageError(
    `--out '${folder}' cannot be made: there is no folder '${parent}'.`,
    `make it first: mkdir -p '${parent}'`,
  );
};
