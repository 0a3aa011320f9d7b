/** Folders as values, so that a test can compare them. */
import {createHash} from 'node:crypto';
import {lstatSync, readdirSync, readFileSync, readlinkSync} from 'node:fs';
import {join, relative} from 'node:path';

/** `path` -> `mode hash` of every file, `mode` of every folder, `-> target` of every link. */
export const describeTree = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, {recursive: true, withFileTypes: true})
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [relative(folder, path), describe(path)]),
  );

const describe = (path: string): string => {
  const stats = lstatSync(path);
  const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0');
  if (stats.isSymbolicLink()) return `-> ${readlinkSync(path)}`;
  if (stats.isDirectory()) return mode;
  return stats.isFile()
    ? `${mode} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`
    : 'other';
};
