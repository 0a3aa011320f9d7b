import type {VmRecord} from '../model/vm-record.js';
import {parseRecord} from './schema.js';

export interface BrokenRecord {
  readonly id: string;
  readonly reason: string;
}

/** All VMs, oldest first, and the records that cannot be read. */
export interface RecordList {
  readonly records: VmRecord[];
  readonly broken: BrokenRecord[];
}

/** The record, or a sentence on what is wrong with it. */
export const checkRecord = (id: string, value: unknown): VmRecord | string => {
  const record = parseRecord(value);
  return typeof record === 'string' || record.id === id ? record : 'id: it is that of another VM';
};

/** Undefined is a record that has gone meanwhile. */
export const orderRecords = (
  found: Iterable<readonly [string, VmRecord | string | undefined]>,
): RecordList => {
  const records: VmRecord[] = [];
  const broken: BrokenRecord[] = [];
  for (const [id, record] of found) {
    if (typeof record === 'string') broken.push({id, reason: record});
    else if (record) records.push(record);
  }
  records.sort((a, b) => a.createdAt.localeCompare(b.createdAt) || a.id.localeCompare(b.id));
  return {records, broken};
};
