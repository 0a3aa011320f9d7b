import {AgentError} from '../model/errors.js';
import {findDamage} from './database-file.js';

const ATTEMPTS = 8;
const PAUSE_MS = 5;

/**
 * Throws STATE_CORRUPT for a file that is no LMDB database, that was cut short or overwritten. LMDB maps the file into
 * memory, follows what is written there, and would end the process with a signal instead of an error.
 */
export const checkDatabaseFile = (path: string): void => {
  const damage = repeatedly(() => findDamage(path));
  if (damage !== undefined) throw corrupt(path, damage);
};

/** Somebody may be writing: pages that the newest snapshot has let go are written to before the next one is there. */
const repeatedly = (look: () => string | undefined): string | undefined => {
  let damage = look();
  for (let attempt = 1; damage !== undefined && attempt < ATTEMPTS; attempt++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    damage = look();
  }
  return damage;
};

export const corrupt = (path: string, seen: string, cause?: unknown): AgentError =>
  new AgentError('STATE_CORRUPT', `The state database '${path}' is damaged: ${seen}.`, {
    cause,
    hints: [
      `move it away to start afresh: mv '${path}' '${path}.damaged'`,
      'the files of the VMs stay in vms/ beside it until agent vm clean --all removes them',
    ],
  });
