// @ts-check
import {readFileSync} from 'node:fs';

/**
 * A process's proportional share of the memory, in MiB: each page divided by the number of those who have it. Throws where
 * the kernel does not tell, as on macOS.
 * @param {number} pid
 */
export const shareOf = (pid) => {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  const [, kib] = /^Pss: *(\d+) kB/m.exec(rollup) ?? [];
  if (kib === undefined) throw new Error('the kernel does not say what the process takes of the memory');
  return Number(kib) / 1024;
};
