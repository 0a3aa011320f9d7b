import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterAll} from 'vitest';

const made: string[] = [];
afterAll(() => {
  for (const root of made) rmSync(root, {recursive: true, force: true});
});

/** A temporary folder with these files, gone after the tests of the file; `#!` makes one executable. */
export const createTree = (files: Readonly<Record<string, string>>): string => {
  const root = mkdtempSync(join(tmpdir(), 'tree-'));
  made.push(root);
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path);
    mkdirSync(dirname(file), {recursive: true});
    writeFileSync(file, content, {mode: content.startsWith('#!') ? 0o755 : 0o644});
  }
  return root;
};
