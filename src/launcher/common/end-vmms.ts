/** Finds VMMs by their command lines, and ends those that dead processes have left, and no others. */
import {readdirSync, readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {deadlineError} from '../../model/errors.js';
import type {ProcessRef} from '../../model/vm-record.js';
import {identifyProcess, isAlive} from '../../process/identity.js';
import {run} from '../../process/run.js';

const DEADLINE_MS = 5_000;
const POLL_MS = 10;

/** Tells one VM's VMM by its arguments, its program's name included. */
export type IsVmm = (argv: readonly string[]) => boolean;

export const endVmms = async (isVmm: IsVmm): Promise<void> => {
  await Promise.all((await findVmms(isVmm)).map(end));
};

export const findVmms = async (isVmm: IsVmm): Promise<ProcessRef[]> =>
  process.platform === 'linux' ? findInProc(isVmm) : await findWithPs(isVmm);

const findInProc = (isVmm: IsVmm): ProcessRef[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isVmm(commandLine(pid)))
    .flatMap((pid) => {
      // Identity, then a second look: should the pid change hands meanwhile, the end of it will be noticed.
      const ref = identifyProcess(pid);
      return ref !== undefined && isVmm(commandLine(pid)) ? [ref] : [];
    });

const commandLine = (pid: number): string[] => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return []; // it has ended
  }
};

// macOS has no /proc. None of the words that are looked for holds a space.
const findWithPs = async (isVmm: IsVmm): Promise<ProcessRef[]> => {
  const {stdout} = await run({
    file: 'ps',
    args: ['-axo', 'pid=,command='],
    phase: 'looking for VMMs',
    timeoutMs: 5_000,
  });
  return stdout.split('\n').flatMap((line) => {
    const [pid = '', ...argv] = line.trim().split(/\s+/);
    const ref = isVmm(argv) ? identifyProcess(Number(pid)) : undefined;
    return ref ? [ref] : [];
  });
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
