/** What lies around of VMs, in numbers: the same before and after any number of them. */
import {readdirSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {openStoreToRead} from '../../src/state/vm-store.js';
import type {StateFolder} from '../support/agent.js';
import {containersOf, mountsOf} from '../support/containers-state.js';
import {namesIn} from '../support/folders.js';
import {processesOf} from '../support/processes.js';

export type Census = Readonly<Record<string, number>>;

/** `runtime`: where sockets lie. */
export const takeCensus = async (state: StateFolder, runtime: string): Promise<Census> => ({
  'files in the state directory': filesBelow(state.path),
  'folders of VMs': ['vms', 'persist', 'krunvm'].flatMap((name) => namesIn(join(state.path, name))).length,
  'sockets and notes in the runtime folder': namesIn(runtime).length,
  processes: processesOf(state).length,
  mounts: mountsOf(state).length,
  'containers, images of VMs, unused layers': containersOf(state).length,
  ...(await databaseOf(state)),
});

const filesBelow = (folder: string): number =>
  readdirSync(folder, {recursive: true, withFileTypes: true}).filter((entry) => !entry.isDirectory()).length;

const databaseOf = async (state: StateFolder): Promise<Census> => {
  const path = join(state.path, 'agent.mdb');
  const store = openStoreToRead(path, process.getuid?.() ?? 0);
  const records = store?.list().records.length ?? 0;
  return {'records of VMs': records, 'pages of the database': Math.ceil(statSync(path).size / 4096)};
};
