/** Makes files and folders appear complete or not at all, however many processes make them and wherever they die. */
import {randomBytes} from 'node:crypto';
import {chmod, mkdir, readdir, rename, rm, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';

/** Calls `make` with a path beside `path`, and moves what it made there to `path`. */
export const makeAtomically = async (
  path: string,
  make: (temporary: string) => Promise<void>,
): Promise<void> => {
  const folder = dirname(path);
  await mkdir(folder, {recursive: true, mode: 0o700});
  await removeAbandoned(folder);
  const temporary = join(folder, `${PREFIX}${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    await make(temporary);
    await rename(temporary, path);
  } finally {
    await rm(temporary, {recursive: true, force: true});
  }
};

export interface WriteOptions {
  readonly path: string;
  readonly content: Buffer | string;
  readonly mode: number;
}

export const writeAtomically = async ({path, content, mode}: WriteOptions): Promise<void> =>
  await makeAtomically(path, async (temporary) => {
    await writeFile(temporary, content, {mode});
    await chmod(temporary, mode); // whatever the umask
  });

const PREFIX = '.making-';

const removeAbandoned = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder)) {
    const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN;
    if (pid > 0 && !runs(pid)) await rm(join(folder, name), {recursive: true, force: true});
  }
};

const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
};
