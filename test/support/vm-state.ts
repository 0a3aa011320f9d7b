/** A state directory for a file of tests that boot guests, and the check that nothing of them is left. */
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, expect} from 'vitest';
import {markerOf} from '../../src/launcher/qemu/parts.js';
import {agent, makeState, type StateFolder} from './agent.js';

export interface Leftovers {
  /** Command lines. */
  readonly processes: readonly string[];
  /** Below `vms` and `persist`. */
  readonly folders: readonly string[];
  readonly records: readonly unknown[];
}

export const nothing: Leftovers = {processes: [], folders: [], records: []};

/** What is there of VMs now: nothing, once they are cleaned. */
export const leftoversOf = async (state: StateFolder): Promise<Leftovers> => {
  const {stdout} = await agent(['vm', 'list', '--all', '--json'], {state});
  return {
    processes: processesOf(state),
    folders: ['vms', 'persist'].flatMap((folder) => namesIn(join(state.path, folder))),
    records: JSON.parse(stdout.toString()) as unknown[],
  };
};

/** The VMMs of this state directory, and whatever was started with it in its environment. */
export const processesOf = (state: StateFolder): string[] => {
  const marker = markerOf({cacheFolder: join(state.path, 'boot')}, 'x').slice(0, -1);
  const marks = [marker, `AGENT_STATE_DIR=${state.path}\0`];
  return namesIn('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => ({pid, line: procFile(pid, 'cmdline'), environ: procFile(pid, 'environ')}))
    .filter(({line, environ}) => marks.some((mark) => line.includes(mark) || environ.includes(mark)))
    .map(({pid, line}) => `${pid} ${line.replaceAll('\0', ' ').slice(0, 200)}`);
};

/** A state directory that is removed after the tests; they must have left it without a VM. */
export const useState = (make: () => StateFolder = makeState): StateFolder => {
  const state = make();
  afterAll(async () => {
    const left = await leftoversOf(state);
    await agent(['vm', 'clean', '--all'], {state});
    state.remove();
    expect(left).toEqual(nothing);
  });
  return state;
};

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
};

const procFile = (pid: string, name: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return ''; // it has ended, or is not ours to look into
  }
};
