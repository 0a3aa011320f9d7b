import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';
import {languageNames} from '../model/language.js';
import {launcherNames} from '../model/launcher-name.js';
import {networkModes} from '../model/network.js';
import {isVmId} from '../model/vm-id.js';
import {type ProcessRef, type VmRecord, vmStatuses} from '../model/vm-record.js';

const processRef = z.object({
  pid: z.int().check(z.positive()),
  startedAt: z.string(),
}) satisfies z.ZodMiniType<ProcessRef>;

const vmRecord = z.object({
  schema: z.literal(1),
  id: z.string().check(z.refine(isVmId, 'not an id')),
  name: z.nullable(z.string()),
  language: z.nullable(z.enum(languageNames)),
  image: z.object({reference: z.string(), digest: z.nullable(z.string())}),
  launcher: z.enum(launcherNames),
  cpus: z.int().check(z.positive()),
  memoryMib: z.int().check(z.positive()),
  network: z.enum(networkModes),
  persist: z.boolean(),
  volume: z._default(z.nullable(z.string()), null),
  diskMib: z._default(z.nullable(z.int().check(z.positive())), null),
  guestVolumes: z._default(z.boolean(), false),
  ephemeral: z.boolean(),
  labels: z.record(z.string(), z.string()),
  env: z.array(z.string()),
  idleTimeoutMs: z.number().check(z.nonnegative()),
  status: z.enum(vmStatuses),
  failure: z.nullable(z.string()),
  createdAt: z.string(),
  lastRunAt: z.nullable(z.string()),
  owner: z.nullable(processRef),
  evicted: z._default(z.array(processRef), []),
  vmm: z.nullable(processRef),
  socket: z._default(z.nullable(z.string()), null),
  ended: z._default(z.nullable(z.string()), null),
}) satisfies z.ZodMiniType<VmRecord>;

// Compiling a parser takes longer than it saves, even over a thousand records.
const params = {error: en().localeError, jitless: true};

/** Before there were names for volumes, each had that of its VM. */
const withVolume = (record: VmRecord): VmRecord =>
  record.persist && record.volume === null ? {...record, volume: record.id} : record;

/** The record, or a sentence on what is wrong with it. */
export const parseRecord = (value: unknown): VmRecord | string => {
  const result = vmRecord.safeParse(value, params);
  if (result.success) return withVolume(result.data);
  const issue = result.error.issues[0];
  return `${issue?.path.join('.') || 'record'}: ${issue?.message ?? 'not a VM record'}`;
};
