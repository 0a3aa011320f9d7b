/** A state directory on a disk of its own that is soon full. Only root can mount one. */
import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {prepared, type StateFolder} from './agent.js';

/** A VM is booted only where 64 MiB are free. */
const SIZE = '112m';

export interface SmallDisk {
  /** As `makeState` makes one; not on the disk yet. */
  readonly make: () => StateFolder;
  /** From here on the state directory is there. */
  readonly mount: () => void;
}

export const makeSmallDisk = (): SmallDisk => {
  const disk = mkdtempSync(join(tmpdir(), 'agent-disk-'));
  const path = join(disk, 'state');
  let isMounted = false;
  const fill = (links: readonly (readonly [string, string])[]): void => {
    mkdirSync(path, {mode: 0o700});
    for (const [name, target] of links) symlinkSync(target, join(path, name));
  };
  const remove = (): void => {
    if (isMounted) execFileSync('umount', [disk]);
    rmSync(disk, {recursive: true});
  };
  return {
    make: () => {
      fill([
        ['images', prepared.images],
        ['boot', prepared.boot],
      ]);
      return {path, remove};
    },
    mount: () => {
      const links = readdirSync(path).map((name) => [name, readlinkSync(join(path, name))] as const);
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=0755`, 'none', disk]);
      isMounted = true;
      fill(links);
    },
  };
};
