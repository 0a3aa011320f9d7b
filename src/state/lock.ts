import {setTimeout as sleep} from 'node:timers/promises';
import type {RootDatabase} from 'lmdb';
import {AgentError} from '../model/errors.js';
import type {ProcessRef} from '../model/vm-record.js';

export interface LockOptions {
  readonly database: RootDatabase;
  readonly name: string;
  readonly self: ProcessRef;
  readonly isAlive: (ref: ProcessRef) => boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called once when somebody else holds the lock. */
  readonly onWait?: (holder: ProcessRef) => void;
}

const POLL_MS = 100;

/** Runs `work` while no other process does under the same name. A dead holder's lock is taken over. */
export const withLock = async <T>(options: LockOptions, work: () => Promise<T>): Promise<T> => {
  await acquire(options);
  try {
    return await work();
  } finally {
    release(options);
  }
};

const acquire = async (options: LockOptions): Promise<void> => {
  const deadline = Date.now() + options.timeoutMs;
  let told = false;
  for (;;) {
    const holder = tryAcquire(options);
    if (!holder) return;
    if (!told) options.onWait?.(holder);
    told = true;
    if (Date.now() > deadline) {
      throw new AgentError(
        'DEADLINE',
        `waiting for '${options.name}' took longer than ${options.timeoutMs / 1000} s`,
        {
          details: [`process ${holder.pid} holds it`],
        },
      );
    }
    await sleep(POLL_MS, undefined, {signal: options.signal}).catch((cause: unknown) => {
      throw new AgentError('INTERRUPTED', `waiting for '${options.name}' was interrupted`, {cause});
    });
  }
};

const tryAcquire = ({database, name, self, isAlive}: LockOptions): ProcessRef | undefined =>
  database.transactionSync(() => {
    const holder: ProcessRef | undefined = database.get(`lock/${name}`);
    if (holder && isAlive(holder)) return holder;
    database.putSync(`lock/${name}`, self);
    return undefined;
  });

const release = ({database, name, self}: LockOptions): void => {
  database.transactionSync(() => {
    const holder: ProcessRef | undefined = database.get(`lock/${name}`);
    if (holder?.pid === self.pid) database.removeSync(`lock/${name}`);
  });
};
