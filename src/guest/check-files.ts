import {access, constants} from 'node:fs/promises';
import type {TransferLimits} from './guest.js';
import {fileError, hostTree} from './host-tree.js';

/**
 * Throws a usage error for files that `packFiles` could not copy: missing, unreadable, two of one name, sockets and
 * devices, more than the limits. Call it before there is anything to undo.
 */
export const checkFiles = async (paths: readonly string[], limits: TransferLimits): Promise<void> => {
  for await (const {path, target} of hostTree(paths, limits)) {
    if (target !== undefined) continue;
    await access(path, constants.R_OK).catch((error: unknown) => {
      throw fileError(path, error);
    });
  }
};
