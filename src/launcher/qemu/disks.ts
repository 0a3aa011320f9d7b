/** Makes the disks of a VM: sparse files with an empty ext4, which take space on the host as the guest fills them. */
import {open, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {AgentError} from '../../model/errors.js';
import {run} from '../../process/run.js';
import {makeAtomically} from '../common/atomic-file.js';

/** How far a guest can fill a disk; the host's file grows only with what is written. */
export const DISK_BYTES = {upper: 8 * 1024 ** 3, persist: 8 * 1024 ** 3} as const;
export type DiskName = keyof typeof DISK_BYTES;

export const diskPath = (folder: string, name: DiskName): string => join(folder, `${name}.img`);

export interface DiskRequest {
  readonly folder: string;
  readonly name: DiskName;
  /** Without it the size of `DISK_BYTES`. */
  readonly bytes?: number;
  readonly mke2fsPath: string | undefined;
  readonly signal: AbortSignal;
}

/** Keeps a disk that is there: it holds a VM's files. */
export const makeDisk = async ({
  folder,
  name,
  bytes = DISK_BYTES[name],
  mke2fsPath,
  signal,
}: DiskRequest): Promise<void> => {
  const path = diskPath(folder, name);
  if (await exists(path)) return;
  if (mke2fsPath === undefined) throw missingMke2fs();
  await makeAtomically(path, async (temporary) => {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.truncate(bytes);
    } finally {
      await file.close();
    }
    await run({
      file: mke2fsPath,
      args: [...planFileSystem(name), temporary],
      env: {PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C'},
      phase: `making the VM's ${name} disk`,
      timeoutMs: 60_000,
      signal,
    });
  });
};

/**
 * A journal, since killing the VMM is how most VMs end; sparse like the rest, since mke2fs knows that the file reads
 * as zeros. When a write fails because the host's disk is full, ext4's own choice is to go read-only, after which
 * writers in the guest have been seen to wait for ever, or to be told that all is well. So the guest ends, and says why.
 * A disk that is full by itself is no such error: writers are told, and go on when something was deleted.
 */
const planFileSystem = (name: DiskName): string[] => [
  ...['-q', '-F', '-t', 'ext4', '-b', '4096', '-m', '0', '-J', 'size=16', '-e', 'panic'],
  ...['-L', `agent-${name}`, '-E', 'root_owner=0:0,lazy_journal_init=1'],
];

const exists = async (path: string): Promise<boolean> =>
  await stat(path).then(
    () => true,
    () => false,
  );

export const missingMke2fs = (): AgentError =>
  new AgentError('LAUNCHER_UNAVAILABLE', "'mke2fs' is not installed: it makes the disks of VMs.", {
    hints: ['run: agent setup', 'or install the package e2fsprogs'],
  });
