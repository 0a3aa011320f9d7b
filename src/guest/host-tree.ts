import type {Stats} from 'node:fs';
import {lstat, readdir, readlink, stat} from 'node:fs/promises';
import {basename, resolve} from 'node:path';
import {type AgentError, usageError} from '../model/errors.js';
import type {TransferLimits} from './guest.js';
import {printable} from './printable.js';

/** A file, directory or symbolic link of the host, on its way into an archive. */
export interface HostEntry {
  /** Where it is. A Buffer, since names need not be UTF-8. */
  readonly path: Buffer;
  /** What the archive calls it. */
  readonly name: Buffer;
  readonly stats: Stats;
  /** Where it leads, if it is a symbolic link. */
  readonly target: Buffer | undefined;
}

const SLASH = Buffer.from('/');

/**
 * Everything at and below the paths, each called by its base name. A link that was named is followed, as `cp` does with
 * `-H`; one found inside a folder stays a link. Throws a usage error for what cannot be copied.
 */
export const hostTree = (paths: readonly string[], limits: TransferLimits): AsyncGenerator<HostEntry> =>
  namedTrees(topLevel(paths), limits);

/** A file or folder of the host under the name that it gets; `.` gives the content of a folder no folder of its own. */
export interface NamedSource {
  readonly path: Buffer;
  readonly name: Buffer;
}

/** The same, each called as it says. */
export async function* namedTrees(
  sources: readonly NamedSource[],
  {maxBytes, maxEntries}: TransferLimits,
): AsyncGenerator<HostEntry> {
  let bytes = 0;
  let entries = 0;
  for (const {path, name} of sources) {
    for await (const entry of below({path, name, stats: await statOf(path)})) {
      bytes += entry.stats.isFile() ? entry.stats.size : 0;
      entries += 1;
      if (bytes > maxBytes) throw tooMuch(`${(maxBytes / 1024 / 1024).toFixed(1)} MiB`);
      if (entries > maxEntries) throw tooMuch(`${maxEntries} files`);
      yield entry;
    }
  }
}

/** What went wrong with a file of the user's, in the user's words. */
export const fileError = (path: Buffer | string, error: unknown): unknown => {
  const shown = showPath(path);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return usageError(`There is no file '${shown}'.`, 'check the path: relative ones begin where you are');
  if (code === 'EACCES' || code === 'EPERM')
    return usageError(`The file '${shown}' cannot be read.`, 'check who owns it, and its mode');
  return error;
};

export const showPath = (path: Buffer | string): string => printable(path, 300);

const topLevel = (paths: readonly string[]): NamedSource[] => {
  const seen = new Map<string, string>();
  return paths.map((path) => {
    const name = basename(resolve(path));
    if (name === '') throw usageError(`'${showPath(path)}' has no name that it could have in the guest.`);
    const other = seen.get(name);
    if (other !== undefined) {
      throw usageError(
        `'${showPath(other)}' and '${showPath(path)}' would both be '${showPath(name)}' in the guest.`,
        'rename one of them, or put them into one folder and copy that',
      );
    }
    seen.set(name, path);
    return {path: Buffer.from(path), name: Buffer.from(name)};
  });
};

const statOf = async (path: Buffer): Promise<Stats> => {
  try {
    return await stat(path);
  } catch (error) {
    throw fileError(path, error);
  }
};

async function* below(top: NamedSource & {readonly stats: Stats}): AsyncGenerator<HostEntry> {
  yield await entryAt(top, top.stats);
  // Not by recursion: a generator within a generator for each level would make deep trees slow.
  const open = top.stats.isDirectory() ? await children(top) : [];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const stats = await lstat(place.path);
    yield await entryAt(place, stats);
    if (stats.isDirectory()) for (const child of await children(place)) open.push(child);
  }
}

const entryAt = async (place: NamedSource, stats: Stats): Promise<HostEntry> => {
  if (stats.isSymbolicLink()) return {...place, stats, target: await readlink(place.path, 'buffer')};
  if (stats.isFile() || stats.isDirectory()) return {...place, stats, target: undefined};
  throw usageError(
    `'${showPath(place.path)}' is neither a file nor a folder nor a link, so it cannot be copied.`,
    'name the files to copy one by one, or remove it',
  );
};

/** Last name first: they are taken from the end. */
const children = async ({path, name}: NamedSource): Promise<NamedSource[]> => {
  try {
    const names = await readdir(path, 'buffer');
    return names
      .sort((one, other) => Buffer.compare(other, one))
      .map((step) => ({
        path: Buffer.concat([path, SLASH, step]),
        name: Buffer.concat([name, SLASH, step]),
      }));
  } catch (error) {
    throw fileError(path, error);
  }
};

const tooMuch = (limit: string): AgentError =>
  usageError(
    `The files are more than ${limit}, which is the most that is copied.`,
    'name fewer of them, or copy more with: agent vm cp --max-size 8G',
  );
