/**
 * The truth about which VMs exist. Every change is one short transaction, so that of two processes that want the same
 * change one wins and the other is told. May import: model.
 */
import {chmodSync, existsSync, statfsSync, statSync} from 'node:fs';
import {constants} from 'node:os';
import {dirname} from 'node:path';
import type {RootDatabase} from 'lmdb';
import {AgentError, diskFull} from '../model/errors.js';
import type {VmRecord} from '../model/vm-record.js';
import {checkDatabaseFile, corrupt} from './check-file.js';
import {createDatabase} from './create-database.js';
import {loadLmdb} from './load-lmdb.js';
import {readRecords} from './read-records.js';
import {checkRecord, orderRecords, type RecordList} from './record-list.js';
import {makePrivateFolder, refuseForeign} from './state-paths.js';
import {refuseTakenVolume} from './taken-volume.js';

export interface VmStore {
  /** All VMs, oldest first. A record that cannot be read is reported and hides no other. */
  readonly list: () => RecordList;
  readonly get: (id: string) => VmRecord | undefined;
  /** Throws VM_NAME_TAKEN, VM_BUSY where its volume is another VM's, and DISK_FULL. */
  readonly insert: (record: VmRecord) => void;
  /**
   * Replaces the record by what `change` makes of the present one, atomically. What `change` throws is thrown and
   * nothing is written. Returns undefined where there is no such VM.
   */
  readonly update: (id: string, change: (record: VmRecord) => VmRecord) => VmRecord | undefined;
  /** What is gone already is success; broken records go too. */
  readonly remove: (id: string) => void;
  /** Does `work` while no VM has the volume, nor can be made with it; throws VM_BUSY where one has. */
  readonly whileFree: (volume: string, work: () => void) => void;
  readonly database: RootDatabase;
}

const vmKey = (id: string): string => `vm/${id}`;
const vmRange = {start: 'vm/', end: 'vm0'} as const;

/** Opens for writing; makes the state directory and the database where they are missing. */
export const openStore = (path: string, uid: number): VmStore => {
  makePrivateFolder(dirname(path), uid);
  const isNew = !existsSync(path);
  if (isNew) {
    requireSpace(path);
    createDatabase(path, (temporary) => reserveSpace(path, openDatabase(temporary, false)));
  }
  const database = openDatabase(path, false);
  if (isNew) chmodSync(`${path}-lock`, 0o600);
  return createStore(path, database);
};

const RESERVED_BYTES = 64 * 1024;

/** Each process that has the database open holds a place: one monitor per VM that is up, and every command. A page holds 64. */
const MOST_PROCESSES = 4096;

// LMDB itself would write a line of its own to standard error.
const requireSpace = (path: string): void => {
  const {bavail, bsize} = statfsSync(dirname(path));
  if (bavail * bsize < 2 * RESERVED_BYTES) throw diskFull(`'${dirname(path)}' has no space left`, undefined);
};

/** Leaves free pages in the file, so that on a full disk VMs can still be removed. */
const reserveSpace = (path: string, database: RootDatabase): RootDatabase => {
  try {
    database.putSync('reserve', Buffer.alloc(RESERVED_BYTES));
    database.removeSync('reserve');
    return database;
  } catch (error) {
    throw explain(path, error);
  }
};

export type VmReader = Pick<VmStore, 'list'>;

/** For reading, without a lock and as it is at each call; undefined where there is no database yet, and nothing is made. */
export const openStoreToRead = (path: string, uid: number): VmReader | undefined => {
  refuseForeign(dirname(path), uid);
  return isThere(path) ? {list: () => readRecords(path) ?? listWithLmdb(path)} : undefined;
};

const listWithLmdb = (path: string): RecordList => {
  const {database, list} = createStore(path, openDatabase(path, true));
  try {
    return list();
  } finally {
    void database.close();
  }
};

/** Whether anything was ever stored. Throws STATE_UNUSABLE where that cannot be told. */
export const isThere = (path: string): boolean => {
  try {
    statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw unusable(path, error);
  }
};

const openDatabase = (path: string, readOnly: boolean): RootDatabase => {
  try {
    if (existsSync(path)) checkDatabaseFile(path);
    return loadLmdb().open({path, noSubdir: true, readOnly, compression: false, maxReaders: MOST_PROCESSES});
  } catch (error) {
    if (error instanceof AgentError) throw error;
    throw unusable(path, error);
  }
};

const unusable = (path: string, error: unknown): AgentError =>
  new AgentError('STATE_UNUSABLE', `The state database '${path}' cannot be opened.`, {
    cause: error,
    details: [error instanceof Error ? error.message : String(error)],
    hints: ['check who owns it, or set AGENT_STATE_DIR to a folder of your own'],
  });

const createStore = (path: string, database: RootDatabase): VmStore => {
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw explain(path, error);
    }
  };
  return {
    database,
    get: (id) => guarded(() => readRecord(database, id)),
    list: () => guarded(() => listRecords(database)),
    insert: (record) => {
      requireSpace(path);
      guarded(() =>
        database.transactionSync(() => {
          if (record.name !== null || record.volume !== null) {
            const {records} = listRecords(database);
            refuseTakenName(records, record.name);
            refuseTakenVolume(records, record.volume);
          }
          database.putSync(vmKey(record.id), record);
        }),
      );
    },
    update: (id, change) =>
      guarded(() =>
        database.transactionSync(() => {
          const record = readRecord(database, id);
          if (!record) return undefined;
          const next = change(record);
          if (next !== record) database.putSync(vmKey(id), next);
          return next;
        }),
      ),
    remove: (id) => {
      guarded(() => database.removeSync(vmKey(id)));
    },
    whileFree: (volume, work) =>
      guarded(() =>
        database.transactionSync(() => {
          refuseTakenVolume(listRecords(database).records, volume);
          work();
        }),
      ),
  };
};

// What LMDB says has a number for a code: its own are negative, the others are errno's.
const explain = (path: string, error: unknown): unknown => {
  if (error instanceof AgentError || !(error instanceof Error)) return error;
  const {code} = error as Error & {readonly code?: unknown};
  if (typeof code !== 'number') return error;
  if (code < 0) return corrupt(path, error.message, error);
  return code === constants.errno.ENOSPC || code === constants.errno.EDQUOT
    ? diskFull(`cannot write to '${path}'`, error)
    : unusable(path, error);
};

/** Undefined where there is no such VM. */
const readRecord = (database: RootDatabase, id: string): VmRecord | undefined => {
  const record = tryRecord(database, id);
  if (typeof record === 'string') throw brokenRecord(id, record);
  return record;
};

/** The record, or a sentence on why it cannot be read. */
const tryRecord = (database: RootDatabase, id: string): VmRecord | string | undefined => {
  let value: unknown;
  try {
    value = database.get(vmKey(id));
  } catch (error) {
    // The decoder's own words quote what it could decode.
    if (error instanceof Error && !('code' in error)) return 'it cannot be decoded';
    throw error;
  }
  return value === undefined ? undefined : checkRecord(id, value);
};

const listRecords = (database: RootDatabase): RecordList => {
  const ids = [...database.getKeys(vmRange)].map((key) => String(key).slice('vm/'.length));
  return orderRecords(ids.map((id) => [id, tryRecord(database, id)]));
};

const refuseTakenName = (records: readonly VmRecord[], name: string | null): void => {
  const taken =
    name === null ? undefined : records.find((record) => record.name === name || record.id === name);
  if (taken) {
    throw new AgentError('VM_NAME_TAKEN', `The name '${name}' is taken by ${taken.id}.`, {
      hints: ['choose another --name', `or remove that VM: agent vm clean --vm ${name}`],
    });
  }
};

const brokenRecord = (id: string, reason: string): AgentError =>
  new AgentError('STATE_CORRUPT', `The record of '${id}' cannot be read: ${reason}.`, {
    hints: [`remove it: agent vm clean --vm ${id}`],
  });
