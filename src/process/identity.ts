/** Tells one process from a later one that got the same pid. */
import {spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import type {ProcessRef} from '../model/vm-record.js';

/** The process with this pid as it runs now, or undefined where there is none (a zombie counts as none). */
export const identifyProcess = (pid: number): ProcessRef | undefined => {
  const startedAt = process.platform === 'linux' ? linuxStart(pid) : bsdStart(pid);
  return startedAt === undefined ? undefined : {pid, startedAt};
};

/** Whether that very process still runs. */
export const isAlive = (ref: ProcessRef): boolean => identifyProcess(ref.pid)?.startedAt === ref.startedAt;

// proc(5): field 22 of /proc/PID/stat is the start time in ticks since boot; field 2 may hold spaces and brackets.
const linuxStart = (pid: number): string | undefined => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    const [state, ticks] = [fields[0], fields[19]];
    return state === 'Z' || state === 'X' || ticks === undefined ? undefined : `${bootId()}:${ticks}`;
  } catch (error) {
    // Whatever else keeps us from reading says nothing of the process.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return undefined;
    throw error;
  }
};

const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8);

const bsdStart = (pid: number): string | undefined => {
  const {stdout} = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
    timeout: 2000,
  });
  const text = (stdout ?? '').trim();
  return text === '' ? undefined : text;
};
