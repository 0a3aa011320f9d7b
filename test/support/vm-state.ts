/** A state directory for a file of tests that boot guests, and the check that nothing of them is left. */
import {join} from 'node:path';
import {afterAll, expect} from 'vitest';
import {openStoreToRead} from '../../src/state/vm-store.js';
import {agent, makeState, type StateFolder} from './agent.js';
import {containersOf, mountsOf, registriesOf} from './containers-state.js';
import {namesIn} from './folders.js';
import {processesOf} from './processes.js';

export {processesOf} from './processes.js';

export interface Leftovers {
  /** Command lines. */
  readonly processes: readonly string[];
  /** Below `vms` and `persist`, and krunvm's own notes. */
  readonly folders: readonly string[];
  readonly records: readonly unknown[];
  /** Names in buildah's storage, of containers and of the images that belong to one VM. */
  readonly containers: readonly string[];
  readonly mounts: readonly string[];
}

export const nothing: Leftovers = {processes: [], folders: [], records: [], containers: [], mounts: []};

/** What is there of VMs now: nothing, once they are cleaned. */
export const leftoversOf = async (state: StateFolder): Promise<Leftovers> => {
  const folders = ['vms', 'persist'].flatMap((folder) => namesIn(join(state.path, folder)));
  return {
    processes: processesOf(state),
    folders: [...folders, ...registriesOf(state)],
    records: await recordsOf(state),
    containers: containersOf(state),
    mounts: mountsOf(state),
  };
};

const recordsOf = async (state: StateFolder): Promise<unknown[]> => {
  const store = openStoreToRead(join(state.path, 'agent.mdb'), process.getuid?.() ?? 0);
  return Object.values(store?.list() ?? {}).flat();
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
