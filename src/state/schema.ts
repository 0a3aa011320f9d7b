import * as z from 'zod';
import {languageNames} from '../model/language.js';
import {launcherNames} from '../model/launcher-name.js';
import {networkModes} from '../model/network.js';
import {isVmId} from '../model/vm-id.js';
import {type ProcessRef, type VmRecord, vmStatuses} from '../model/vm-record.js';

const processRef = z.object({pid: z.int().positive(), startedAt: z.string()}) satisfies z.ZodType<ProcessRef>;

const vmRecord = z.object({
  schema: z.literal(1),
  id: z.string().refine(isVmId, 'not an id'),
  name: z.string().nullable(),
  language: z.enum(languageNames).nullable(),
  image: z.object({reference: z.string(), digest: z.string().nullable()}),
  launcher: z.enum(launcherNames),
  cpus: z.int().positive(),
  memoryMib: z.int().positive(),
  network: z.enum(networkModes),
  persist: z.boolean(),
  volume: z.string().nullable().default(null),
  diskMib: z.int().positive().nullable().default(null),
  guestVolumes: z.boolean().default(false),
  ephemeral: z.boolean(),
  labels: z.record(z.string(), z.string()),
  env: z.array(z.string()),
  idleTimeoutMs: z.number().nonnegative(),
  status: z.enum(vmStatuses),
  failure: z.string().nullable(),
  createdAt: z.string(),
  lastRunAt: z.string().nullable(),
  owner: processRef.nullable(),
  evicted: z.array(processRef).default([]),
  vmm: processRef.nullable(),
  socket: z.string().nullable().default(null),
  ended: z.string().nullable().default(null),
}) satisfies z.ZodType<VmRecord>;

/** Before there were names for volumes, each had that of its VM. */
const withVolume = (record: VmRecord): VmRecord =>
  record.persist && record.volume === null ? {...record, volume: record.id} : record;

/** The record, or a sentence on what is wrong with it. */
export const parseRecord = (value: unknown): VmRecord | string => {
  const result = vmRecord.safeParse(value);
  if (result.success) return withVolume(result.data);
  const issue = result.error.issues[0];
  return `${issue?.path.join('.') || 'record'}: ${issue?.message ?? 'not a VM record'}`;
};
