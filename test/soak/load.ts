/** What processes take of the processor and of the memory, as /proc tells. */
import {readFileSync} from 'node:fs';

const TICK_MS = 10; // sysconf(_SC_CLK_TCK) is 100 wherever Node runs on Linux

/** Processor time of the children that we have waited for, and of theirs. */
export const waitedCpuMs = (): number => sumOf(statOf('self'), [15, 16]);

/** Processor time of these processes and of the children that they have waited for. */
export const cpuMsOf = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + sumOf(statOf(pid), [13, 14, 15, 16]), 0);

/** Each page counted by how many processes share it. */
export const proportionalMibOf = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + Number(/^Pss:\s+(\d+)/m.exec(fileOf(pid, 'smaps_rollup'))?.[1] ?? 0), 0) /
  1024;

/** The fields of proc(5), from 0; the second, which may hold spaces, is left empty. */
const statOf = (pid: number | 'self'): readonly string[] =>
  fileOf(pid, 'stat')
    .replace(/ \(.*\) /s, '  ')
    .split(' ');

const sumOf = (fields: readonly string[], wanted: readonly number[]): number =>
  wanted.reduce((sum, at) => sum + Number(fields[at] ?? 0), 0) * TICK_MS;

const fileOf = (pid: number | 'self', name: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return ''; // it has ended
  }
};
