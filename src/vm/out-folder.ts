import {lstat, mkdtemp, readdir, rmdir} from 'node:fs/promises';
import {resolve} from 'node:path';
import {usageError} from '../model/errors.js';

const MEND = 'name a new folder, or an empty one, where you can write';

/** Refuses a folder for /out in which something would be lost, or that cannot be made: later would be too late. */
export const checkOutFolder = async (folder: string): Promise<void> => {
  if (folder === '') throw usageError('--out is empty.', MEND);
  const found = await lstat(folder).catch(() => null);
  if (found && !found.isDirectory()) throw usageError(`--out '${folder}' is not a folder.`, MEND);
  if (found && (await readdir(folder)).length > 0) {
    throw usageError(`--out '${folder}' is not empty.`, `${MEND}: nothing in it is replaced`);
  }
  await tryBeside(folder);
};

/** The files come to a folder beside it first, so that is what has to be possible. */
const tryBeside = async (folder: string): Promise<void> => {
  try {
    await rmdir(await mkdtemp(`${resolve(folder)}.new-`));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw usageError(
      `--out '${folder}' cannot be made: ${reason}`,
      MEND,
      'the folder above it must be there',
    );
  }
};
