import {access, constants} from 'node:fs/promises';
import type {TransferLimits} from './guest.js';
import {fileError, type HostEntry, hostTree, type NamedSource, namedTrees} from './host-tree.js';

export interface TreeCount {
  readonly files: number;
  readonly directories: number;
  /** Of content. */
  readonly bytes: number;
  /** Entries that are not copied. */
  readonly skipped: number;
}

/**
 * Throws a usage error for files that `packFiles` could not copy: missing, unreadable, two of one name, sockets and
 * devices, more than the limits. Call it before there is anything to undo.
 */
export const checkFiles = async (paths: readonly string[], limits: TransferLimits): Promise<void> => {
  await checkTree(hostTree(paths, limits));
};

/** The same for `packNamed`; links count as files. */
export const checkNamed = (sources: readonly NamedSource[], limits: TransferLimits): Promise<TreeCount> =>
  checkTree(namedTrees(sources, limits));

const checkTree = async (tree: AsyncIterable<HostEntry>): Promise<TreeCount> => {
  const count = {files: 0, directories: 0, bytes: 0, skipped: 0};
  for await (const {path, target, stats} of tree) {
    if (stats.isDirectory()) count.directories += 1;
    else count.files += 1;
    if (stats.isFile()) count.bytes += stats.size;
    if (target !== undefined) continue;
    await access(path, constants.R_OK).catch((error: unknown) => {
      throw fileError(path, error);
    });
  }
  return count;
};
