/** Makes the database file whole or not at all. LMDB lets processes that make one at the same time damage it. */
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdtempSync,
  renameSync,
  rmSync,
} from 'node:fs';
import {dirname, join} from 'node:path';
import type {RootDatabase} from 'lmdb';

/** `make` fills a new database at the path that it is given. Whoever is first wins; the others find it made. */
export const createDatabase = (path: string, make: (path: string) => RootDatabase): void => {
  const folder = mkdtempSync(join(dirname(path), '.making-'));
  try {
    const database = make(join(folder, 'made.mdb'));
    const copy = join(folder, 'copy.mdb');
    copyFileSync(join(folder, 'made.mdb'), copy, constants.COPYFILE_EXCL);
    void database.close();
    chmodSync(copy, 0o600);
    putInPlace(copy, path);
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
};

// Unlike a rename, a link never takes the place of another file.
const putInPlace = (copy: string, path: string): void => {
  try {
    linkSync(copy, path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return;
    if (!existsSync(path)) renameSync(copy, path); // some file systems have no links
  }
};
