// @ts-check
/** State directories that hold nothing but the records of so many VMs, for `vm list`. */
import {join} from 'node:path';

/**
 * @param {import('./ground.mjs').Ground} ground
 * @param {number} count
 * @returns {Promise<NodeJS.ProcessEnv>} what the command line needs to be told for them
 */
export const makeRecords = async ({parts, uid, moreState}, count) => {
  const state = moreState(`list-${count}`);
  const {database, list} = parts.openStore(join(state, 'agent.mdb'), uid);
  try {
    // Each by itself would be compared with all others: nobody makes VMs at that pace.
    database.transactionSync(() => {
      for (let number = 0; number < count; number += 1) {
        const record = recordOf(number);
        database.putSync(`vm/${record.id}`, record);
      }
    });
    const {records, broken} = list();
    if (records.length !== count || broken.length > 0)
      throw new Error(`${records.length} of ${count} records`);
  } finally {
    await database.close();
  }
  return {AGENT_STATE_DIR: state};
};

/**
 * @param {number} number
 * @returns {import('../../src/model/vm-record.js').VmRecord}
 */
const recordOf = (number) => ({
  schema: 1,
  id: `python-${String(number).padStart(8, '0')}`,
  name: null,
  language: 'python',
  image: {reference: 'localhost/python:latest', digest: `sha256:${'0'.repeat(64)}`},
  launcher: 'qemu',
  cpus: 1,
  memoryMib: 256,
  network: 'none',
  persist: false,
  volume: null,
  diskMib: null,
  guestVolumes: false,
  ephemeral: false,
  labels: {},
  env: [],
  idleTimeoutMs: 0,
  status: 'ready',
  failure: null,
  createdAt: new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString(),
  lastRunAt: null,
  owner: null,
  evicted: [],
  vmm: null,
  socket: null,
  ended: null,
});
