/** The processes of a state directory. */
import {readdirSync, readFileSync, readlinkSync} from 'node:fs';
import {join} from 'node:path';
import {markerOf} from '../../src/launcher/qemu/parts.js';
import type {StateFolder} from './agent.js';

/**
 * The VMMs of this state directory, whatever was started with it among its arguments or in its environment, and whatever
 * sees a guest's root folder in it: krunvm's test double runs its guests as processes of this machine. Command lines.
 */
export const processesOf = (state: StateFolder): string[] => {
  const marker = markerOf({cacheFolder: join(state.path, 'boot')}, 'x').slice(0, -1);
  const ourMounts = linkOf(process.pid, 'ns/mnt');
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid)
    .map((pid) => ({pid, line: fileOf(pid, 'cmdline')}))
    .filter(
      ({pid, line}) =>
        [marker, state.path].some((mark) => line.includes(mark)) ||
        fileOf(pid, 'environ').includes(state.path) ||
        (linkOf(pid, 'ns/mnt') !== ourMounts && fileOf(pid, 'mountinfo').includes(state.path)),
    )
    .map(({pid, line}) => `${pid} ${line.replaceAll('\0', ' ').slice(0, 200)}`);
};

const fileOf = (pid: number, name: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return ''; // it has ended, or is not ours to look into
  }
};

const linkOf = (pid: number, name: string): string => {
  try {
    return readlinkSync(`/proc/${pid}/${name}`);
  } catch {
    return ''; // as above
  }
};
