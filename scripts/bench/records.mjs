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
        const createdAt = new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString();
        const record = parts.someRecord({id: parts.idNumber(number), createdAt});
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
