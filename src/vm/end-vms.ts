/** `vm stop` and `vm clean`: both take the VM from whoever works on it, and go on to the next when one fails. */
import {setTimeout as sleep} from 'node:timers/promises';
import {type AgentError, toAgentError} from '../model/errors.js';
import type {ProcessRef, VmRecord} from '../model/vm-record.js';
import {moveTo} from './lifecycle.js';
import {reap, removeVm, vmFolder} from './reap.js';
import type {VmContext} from './vm-context.js';

export interface EndResult {
  readonly record: VmRecord;
  readonly error: AgentError | null;
}

export const stopVms = (
  context: VmContext,
  records: readonly VmRecord[],
  onResult: (result: EndResult) => void,
): Promise<EndResult[]> => endAll(context, records, stopVm, onResult);

export const cleanVms = (
  context: VmContext,
  {records, keepPersist}: {readonly records: readonly VmRecord[]; readonly keepPersist: boolean},
  onResult: (result: EndResult) => void,
): Promise<EndResult[]> =>
  endAll(context, records, (_, record) => cleanVm(context, record, keepPersist), onResult);

type EndOne = (context: VmContext, record: VmRecord) => Promise<void>;

const endAll = async (
  context: VmContext,
  records: readonly VmRecord[],
  endOne: EndOne,
  onResult: (result: EndResult) => void,
): Promise<EndResult[]> => {
  if (records.length === 0) return [];
  await reap(context);
  return Promise.all(
    records.map(async (record) => {
      const result = await tryOne(context, record, endOne);
      onResult(result);
      return result;
    }),
  );
};

const tryOne = async (context: VmContext, record: VmRecord, endOne: EndOne): Promise<EndResult> => {
  try {
    await endOne(context, record);
    return {record, error: null};
  } catch (thrown) {
    return {record, error: toAgentError(thrown)};
  }
};

const stopVm = async (context: VmContext, record: VmRecord): Promise<void> => {
  if (context.store().get(record.id)?.status === 'stopped') return;
  await seize(context, record, 'stopping');
  context.store().update(record.id, (present) => moveTo(present, {status: 'stopped'}));
};

const cleanVm = async (context: VmContext, record: VmRecord, keepPersist: boolean): Promise<void> => {
  await seize(context, record, 'cleaning');
  await removeVm(context, record.id, {keepPersist});
};

const OWNER_DEADLINE_MS = 20_000;
const POLL_MS = 50;

/** Takes the VM over: asks its present owner to end (it lets the guest write its disks), then ends what is left. */
const seize = async (
  context: VmContext,
  record: VmRecord,
  status: 'stopping' | 'cleaning',
): Promise<void> => {
  let before: VmRecord = record;
  context.store().update(record.id, (present) => {
    before = present;
    return isBeingCleaned(context, present)
      ? present
      : moveTo(present, {status, owner: context.self, vmm: present.vmm});
  });
  const {owner} = before;
  if (owner && owner.pid !== context.self.pid) {
    if (before.status !== 'cleaning') context.terminate(owner);
    await waitWhileAlive(context, owner, before);
  }
  await context.launcher(record.launcher).destroy({...before, folder: vmFolder(context, record.id)});
};

/** Somebody else is cleaning it already: they win, and we wait for them. */
const isBeingCleaned = (context: VmContext, {status, owner}: VmRecord): boolean =>
  status === 'cleaning' && owner !== null && owner.pid !== context.self.pid && context.isAlive(owner);

/** An owner that has not let go by the deadline is stuck: its VMM is then ended over its head. */
const waitWhileAlive = async (context: VmContext, owner: ProcessRef, record: VmRecord): Promise<void> => {
  const deadline = Date.now() + OWNER_DEADLINE_MS;
  const isHeld = (): boolean => context.isAlive(owner) && context.store().get(record.id) !== undefined;
  while (isHeld() && Date.now() < deadline) await sleep(POLL_MS);
};
