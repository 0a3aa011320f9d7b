/** Looks into a root image without mounting it. */
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

export interface ErofsEntry {
  readonly uid: number;
  readonly gid: number;
  /** `regular file`, `directory`, `symlink file`… */
  readonly type: string;
  readonly xattrBytes: number;
}

/** What the image says of a path, or undefined where it has none. */
export const statErofs = (image: string, path: string): ErofsEntry | undefined => {
  const text = execFileSync('dump.erofs', [`--path=${path}`, image], {encoding: 'utf8', stdio: 'pipe'});
  const number = (label: string): number => Number(new RegExp(`${label}:\\s*(\\d+)`).exec(text)?.[1]);
  const type = /size: \d+\s+([a-z ]+)$/m.exec(text)?.[1];
  if (type === undefined) return undefined;
  return {uid: number('Uid'), gid: number('Gid'), type, xattrBytes: number('Xattr size')};
};

/** A small regular file's content. */
export const readErofs = (image: string, path: string): string => {
  const folder = mkdtempSync(join(tmpdir(), 'agent-erofs-'));
  try {
    execFileSync('fsck.erofs', ['--no-preserve', `--extract=${join(folder, 'tree')}`, image], {
      stdio: 'pipe',
    });
    return readFileSync(join(folder, 'tree', path), 'utf8');
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
};
