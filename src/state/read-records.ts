import {readDatabaseFile} from './database-file.js';
import type {Stored} from './lmdb-walk.js';
import {decode} from './msgpack.js';
import {checkRecord, orderRecords, type RecordList} from './record-list.js';

/** The VMs as the file has them, read without LMDB; undefined where LMDB is needed to tell. */
export const readRecords = (path: string): RecordList | undefined => {
  try {
    const stored = readDatabaseFile(path)?.filter(isOfVm);
    return stored && orderRecords(stored.map(toRecord));
  } catch {
    return undefined; // whatever keeps us from reading: LMDB has the words for it
  }
};

const PREFIX = Buffer.from('vm/');

const isOfVm = ({key}: Stored): boolean => key.subarray(0, PREFIX.length).equals(PREFIX);

const toRecord = ({key, value}: Stored) => {
  const id = key.toString('utf8', PREFIX.length);
  return [id, checkRecord(id, decode(value))] as const;
};
