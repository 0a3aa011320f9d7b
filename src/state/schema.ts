import {languageNames} from '../model/language.js';
import {launcherNames} from '../model/launcher-name.js';
import {networkModes} from '../model/network.js';
import {
  absentAs,
  flag,
  listOf,
  mapOf,
  nullable,
  number,
  object,
  oneOf,
  ShapeError,
  text,
  where,
  wholeNumber,
} from '../model/shape.js';
import {isVmId} from '../model/vm-id.js';
import {type ProcessRef, type VmRecord, vmStatuses} from '../model/vm-record.js';

const positive = where(wholeNumber, 'a positive number', (value) => value > 0);

const processRef = object<ProcessRef>({pid: positive, startedAt: text});

const vmRecord = object<VmRecord>({
  schema: oneOf([1]),
  id: where(text, 'an id', isVmId),
  name: nullable(text),
  language: nullable(oneOf(languageNames)),
  image: object({reference: text, digest: nullable(text)}),
  launcher: oneOf(launcherNames),
  cpus: positive,
  memoryMib: positive,
  network: oneOf(networkModes),
  persist: flag,
  volume: absentAs(null, nullable(text)),
  diskMib: absentAs(null, nullable(positive)),
  guestVolumes: absentAs(false, flag),
  ephemeral: flag,
  labels: mapOf(text),
  env: listOf(text),
  idleTimeoutMs: where(number, 'no negative number', (value) => value >= 0),
  status: oneOf(vmStatuses),
  failure: nullable(text),
  createdAt: text,
  lastRunAt: nullable(text),
  owner: nullable(processRef),
  evicted: absentAs([], listOf(processRef)),
  vmm: nullable(processRef),
  socket: absentAs(null, nullable(text)),
  ended: absentAs(null, nullable(text)),
});

/** Before there were names for volumes, each had that of its VM. */
const withVolume = (record: VmRecord): VmRecord =>
  record.persist && record.volume === null ? {...record, volume: record.id} : record;

/** The record, or a sentence on what is wrong with it. */
export const parseRecord = (value: unknown): VmRecord | string => {
  try {
    return withVolume(vmRecord(value));
  } catch (error) {
    if (error instanceof ShapeError) return error.message;
    throw error;
  }
};
