import {execFileSync} from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';

/** What system tar makes of a folder. */
export const tarOf = (source: string, format: string): Buffer =>
  execFileSync('tar', ['-C', source, `--format=${format}`, '-cf', '-', '.'], {maxBuffer: 1e9});

export const untar = (archive: Buffer, into: string): void => {
  mkdirSync(into, {recursive: true});
  execFileSync('tar', ['-C', into, '-xpf', '-'], {input: archive});
};

/** Everything about a tree that a transfer must keep. */
export const describeTree = (path: string, name = '.'): Record<string, string> => {
  const info = lstatSync(join(path, name));
  const mode = (info.mode & 0o7777).toString(8);
  if (info.isSymbolicLink()) return {[name]: `link ${readlinkSync(join(path, name))}`};
  if (info.isFile()) {
    const mtime = Math.floor(info.mtimeMs / 1000);
    return {
      [name]: `file ${mode} ${mtime} ${readFileSync(join(path, name)).toString('base64').slice(0, 99)} ${info.size}`,
    };
  }
  const children = readdirSync(join(path, name)).map((child) => describeTree(path, join(name, child)));
  return Object.assign({[name]: name === '.' ? 'root' : `directory ${mode}`}, ...children);
};

/** Files of every kind that a transfer must carry. */
export const makeTree = (source: string): void => {
  writeFileSync(join(source, 'plain'), 'hello\n');
  writeFileSync(join(source, 'empty'), '');
  writeFileSync(join(source, 'block'), Buffer.alloc(512, 1));
  writeFileSync(join(source, 'large'), Buffer.alloc(3_000_001, 'x'));
  writeFileSync(join(source, 'run.sh'), '#!/bin/sh\n');
  chmodSync(join(source, 'run.sh'), 0o755);
  chmodSync(join(source, 'plain'), 0o640);
  utimesSync(join(source, 'plain'), 1_000_000_000, 1_000_000_000);
  const deep = join(source, ...Array.from({length: 12}, (_, i) => `directory-number-${i}`));
  mkdirSync(deep, {recursive: true});
  writeFileSync(join(deep, 'deep'), 'deep');
  mkdirSync(join(source, 'nothing'), {mode: 0o700});
  for (const name of ['x'.repeat(100), 'y'.repeat(101), 'z'.repeat(255), 'new\nline', 'ünï', '-rf *', ' ']) {
    writeFileSync(join(source, name), name);
  }
  symlinkSync('plain', join(source, 'link'));
  symlinkSync('/no/such', join(source, 'dangling'));
  symlinkSync('t'.repeat(300), join(source, 'long-link'));
};
