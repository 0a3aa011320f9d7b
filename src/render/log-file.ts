import {accessSync, constants, existsSync, statSync} from 'node:fs';
import {dirname} from 'node:path';
import {usageError} from '../model/errors.js';

/** Refuses a log file that could not be appended to, before any work is done. */
export const checkLogFile = (path: string): void => {
  const mend = 'name a file in a folder that exists and that you can write';
  try {
    if (!existsSync(path)) accessSync(dirname(path), constants.W_OK);
    else if (statSync(path).isDirectory()) throw usageError(`--log-file '${path}' is a folder.`, mend);
    else accessSync(path, constants.W_OK);
  } catch (error) {
    if (error instanceof Error && 'syscall' in error)
      throw usageError(`--log-file '${path}' cannot be written: ${error.message}.`, mend);
    throw error;
  }
};
