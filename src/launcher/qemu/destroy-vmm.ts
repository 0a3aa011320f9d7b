/** Ends VMMs that dead processes have left, and no others. */
import {readdirSync, readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {deadlineError} from '../../model/errors.js';
import type {ProcessRef} from '../../model/vm-record.js';
import {identifyProcess, isAlive} from '../../process/identity.js';
import {run} from '../../process/run.js';

const DEADLINE_MS = 5_000;
const POLL_MS = 10;

/** A VMM is ours to end when its command line bears the marker; the recorded one, too, is not trusted by pid alone. */
export const destroyVmm = async ({
  marker,
  recorded,
}: {
  readonly marker: string;
  readonly recorded: ProcessRef | null;
}): Promise<void> => {
  const found = process.platform === 'linux' ? findByMarker(marker) : await checkRecorded(recorded, marker);
  await Promise.all(found.map(end));
};

const findByMarker = (marker: string): ProcessRef[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .flatMap((pid) => {
      // Identity first: should the pid change hands meanwhile, the end of it will be noticed.
      const ref = identifyProcess(pid);
      return ref !== undefined && bears(marker, commandLine(pid)) ? [ref] : [];
    });

/** `-name guest=<marker>`, as an argument of its own. */
const bears = (marker: string, argv: readonly string[]): boolean => argv.includes(`guest=${marker}`);

const commandLine = (pid: number): string[] => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return []; // it has ended
  }
};

// macOS has no /proc: the record is all there is to go by.
const checkRecorded = async (recorded: ProcessRef | null, marker: string): Promise<ProcessRef[]> => {
  if (recorded === null || !isAlive(recorded)) return [];
  const {stdout} = await run({
    file: 'ps',
    args: ['-o', 'command=', '-p', String(recorded.pid)],
    phase: 'looking at the VMM',
    timeoutMs: 2_000,
  });
  return bears(marker, stdout.split(' ')) ? [recorded] : [];
};

const end = async (ref: ProcessRef): Promise<void> => {
  const startedAt = Date.now();
  while (isAlive(ref)) {
    kill(ref.pid);
    if (Date.now() - startedAt > DEADLINE_MS) {
      throw deadlineError(`ending the VMM (process ${ref.pid})`, DEADLINE_MS);
    }
    await sleep(POLL_MS);
  }
};

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
};
