import {constants} from 'node:fs';
import {chmod, type FileHandle, lstat, mkdir, open} from 'node:fs/promises';
import {join} from 'node:path';
import {pathSteps} from './tar-path.js';
import type {TarEntry} from './tar-reader.js';

interface Placed {
  /** Files and directories that were made, those above the entry among them. */
  readonly made: number;
  readonly isPlaced: boolean;
}

export interface UnpackTarget {
  /** Writes an entry below the folder, or skips it. Throws for names that no honest agent sends. */
  readonly place: (entry: TarEntry) => Promise<Placed>;
  /** Gives the folder itself the mode that the archive gave it: until then nobody else can enter, and lead us anywhere. */
  readonly finish: () => Promise<void>;
}

/** Errors that say that the host has no place for this name, or that it is taken. */
const noPlace: readonly (string | undefined)[] = ['EEXIST', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'EILSEQ'];
const MAX_MTIME = 0xffff_ffff;

/**
 * A folder that only we write: it holds nothing but directories and files of ours, so that no path in it leads out.
 * Names that differ only in case are one name to some hosts: the first keeps it. It stays closed to others until `finish`.
 */
export const createUnpackTarget = (root: string): UnpackTarget => {
  let lastParent = root;
  let ownMode: number | undefined;
  const makeParents = async (steps: readonly string[]): Promise<number> => {
    const parent = join(root, ...steps);
    if (parent === lastParent) return 0;
    const first = await mkdir(parent, {recursive: true, mode: 0o700});
    lastParent = parent;
    return first === undefined ? 0 : 1 + depth(parent) - depth(first);
  };
  const placeAt = async (parents: readonly string[], name: string, entry: TarEntry): Promise<Placed> => {
    let made = 0;
    try {
      made = await makeParents(parents);
      const isNew = await make(join(root, ...parents, name), entry);
      return {made: made + (isNew ? 1 : 0), isPlaced: true};
    } catch (error) {
      if (!noPlace.includes(codeOf(error))) throw error;
      return {made, isPlaced: false};
    }
  };
  const place = async (entry: TarEntry): Promise<Placed> => {
    const steps = pathSteps(entry.name);
    if (steps === undefined || entry.kind === 'other') return {made: 0, isPlaced: false};
    const name = steps.pop();
    // The folder itself: it is there.
    if (name === undefined) {
      if (entry.kind === 'directory') ownMode = entry.mode;
      return {made: 0, isPlaced: entry.kind === 'directory'};
    }
    return placeAt(steps, name, entry);
  };
  return {
    place,
    finish: async () => {
      if (ownMode !== undefined) await chmod(root, directoryMode(ownMode));
    },
  };
};

const depth = (path: string): number => path.split('/').length;

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** False where it was there: a directory may come twice. */
const make = async (path: string, entry: TarEntry): Promise<boolean> => {
  if (entry.kind === 'directory') return makeDirectory(path, entry.mode);
  await writeFile(path, entry);
  return true;
};

const {O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW} = constants;

const writeFile = async (path: string, {mode, mtime, content}: TarEntry): Promise<void> => {
  const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    for await (const bytes of content()) await writeAll(file, bytes);
    // Set-user-id and the like are dropped, and we can always read what we wrote.
    await file.chmod((mode & 0o777) | 0o400);
    const time = Math.min(mtime, MAX_MTIME);
    await file.utimes(time, time);
  } finally {
    await file.close();
  }
};

const writeAll = async (file: FileHandle, bytes: Buffer): Promise<void> => {
  let rest = bytes;
  while (rest.length > 0) rest = rest.subarray((await file.write(rest)).bytesWritten);
};

/** Ours to enter and to remove, whatever the archive says. */
const directoryMode = (mode: number): number => (mode & 0o777) | 0o700;

const makeDirectory = async (path: string, mode: number): Promise<boolean> => {
  const isNew = await mkdir(path, 0o700).then(
    () => true,
    async (error: unknown) => {
      const found = await lstat(path).catch(() => undefined);
      if (found?.isDirectory()) return false;
      throw error;
    },
  );
  await chmod(path, directoryMode(mode));
  return isNew;
};
