/** A folder of ours takes its place on this machine: as a new one, or within one that is there. */
import type {Stats} from 'node:fs';
import {lstat, readdir, rename} from 'node:fs/promises';
import {join} from 'node:path';
import {type AgentError, usageError} from '../model/errors.js';

/**
 * Moves what `fresh` holds into `final`. Links of the folder that is there are replaced, never followed. What cannot be
 * merged is found before anything is moved. Both must lie on one file system.
 */
export const mergeInto = async (fresh: string, final: string): Promise<void> => {
  await checkBelow(fresh, final);
  await moveBelow(fresh, final);
};

/** What is at a path itself, links as links; undefined where there is nothing. */
export const whatIs = async (path: string): Promise<Stats | undefined> =>
  await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });

const checkBelow = async (fresh: string, final: string): Promise<void> => {
  for (const entry of await readdir(fresh, {withFileTypes: true})) {
    const there = join(final, entry.name);
    const present = await whatIs(there);
    if (!present) continue;
    if (entry.isDirectory() !== present.isDirectory()) throw clashAt(there, entry.isDirectory());
    if (entry.isDirectory()) await checkBelow(join(fresh, entry.name), there);
  }
};

const moveBelow = async (fresh: string, final: string): Promise<void> => {
  for (const entry of await readdir(fresh, {withFileTypes: true})) {
    const [from, to] = [join(fresh, entry.name), join(final, entry.name)];
    const isMerged = entry.isDirectory() && (await whatIs(to))?.isDirectory() === true;
    if (isMerged) await moveBelow(from, to);
    else await rename(from, to);
  }
};

export const clashAt = (path: string, isFolder: boolean): AgentError =>
  isFolder
    ? usageError(`'${path}' is no folder, and the guest's is one.`, 'remove it, or choose another target')
    : usageError(
        `'${path}' is a folder, and the guest's file is none.`,
        'remove it, or choose another target',
      );
