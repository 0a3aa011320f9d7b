// @ts-check
import {readFileSync} from 'node:fs';

/**
 * What a process takes of the memory, in MiB; undefined where the kernel does not tell, as on macOS.
 * @param {number} pid
 */
export const memoryOf = (pid) => {
  if (process.platform !== 'linux') return undefined;
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  /** @param {string} name */
  const mib = (name) => Number(new RegExp(`^${name}: *(\\d+) kB`, 'm').exec(rollup)?.[1]) / 1024;
  return {rss: mib('Rss'), pss: mib('Pss'), privateDirty: mib('Private_Dirty')};
};
