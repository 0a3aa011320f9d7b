/** `vm stop` and `vm clean`: both take the VM from whoever works on it, and go on to the next when one fails. */
import {type AgentError, toAgentError} from '../model/errors.js';
import {isVmId} from '../model/vm-id.js';
import type {VmRecord} from '../model/vm-record.js';
import {busyError, hasEndedUnexpectedly, moveTo, owns} from './lifecycle.js';
import {readableRecord} from './readable-record.js';
import {reap, removeVm} from './reap.js';
import {seize, waitWhile} from './seize.js';
import {type Selection, selectVms} from './select-vms.js';
import {endingsAtOnce, several} from './several.js';
import type {VmContext} from './vm-context.js';

export interface EndResult {
  readonly vm: EndedVm;
  readonly error: AgentError | null;
}

/** A VM by its id; its language is null where nothing more is known of it. */
export interface EndedVm extends Pick<VmRecord, 'id' | 'language'> {
  /** There was none: somebody may have mistyped it. */
  readonly isGone?: true;
}

type OnResult = (result: EndResult) => void;

export const stopVms = (
  context: VmContext,
  selection: Selection,
  onResult: OnResult,
): Promise<EndResult[]> => {
  const records = selectVms(context.storeIfAny()?.list().records ?? [], selection);
  return endAll(context, {targets: records, onResult}, stopVm);
};

/** Removes VMs with all that belongs to them. One that is gone already counts as cleaned. */
export const cleanVms = async (
  context: VmContext,
  {selection, keepPersist}: {readonly selection: Selection; readonly keepPersist: boolean},
  onResult: OnResult,
): Promise<EndResult[]> => {
  const found = context.storeIfAny()?.list() ?? {records: [], broken: []};
  const broken = found.broken.filter(({id}) => selection.all || selection.vms.includes(id));
  const vms = selection.vms.filter((wanted) => broken.every(({id}) => id !== wanted));
  const isSelecting = vms.length > 0 || broken.length === 0 || selection.all;
  const records = isSelecting ? selectToClean(found.records, {...selection, vms}) : [];
  const targets = [...records, ...broken.map(({id}) => ({id, language: null}))];
  return endAll(context, {targets, onResult}, (_, vm) => cleanVm(context, vm.id, keepPersist));
};

const selectToClean = (records: readonly VmRecord[], selection: Selection): EndedVm[] => {
  if (selection.vms.length === 0 || selection.all) return selectVms(records, selection);
  return selection.vms.flatMap((wanted): EndedVm[] => {
    const isKnown = records.some(({id, name}) => name === wanted || id.startsWith(wanted));
    return isKnown
      ? selectVms(records, {...selection, vms: [wanted]})
      : [{id: wanted, language: null, isGone: true}];
  });
};

type EndOne = (context: VmContext, vm: EndedVm) => Promise<void>;

const endAll = async (
  context: VmContext,
  {targets, onResult}: {readonly targets: readonly EndedVm[]; readonly onResult: OnResult},
  endOne: EndOne,
): Promise<EndResult[]> => {
  if (targets.length === 0) return [];
  await reap(context);
  return await several(targets, endingsAtOnce(), async (vm) => {
    const result = await tryOne(context, vm, endOne);
    onResult(result);
    return result;
  });
};

const tryOne = async (context: VmContext, vm: EndedVm, endOne: EndOne): Promise<EndResult> => {
  try {
    context.signal.throwIfAborted(); // those that are not begun stay as they are
    await endOne(context, vm);
    return {vm, error: null};
  } catch (thrown) {
    return {vm, error: toAgentError(thrown)};
  }
};

const stopVm = async (context: VmContext, {id}: EndedVm): Promise<void> => {
  await untilNobodyStops(context, id);
  if (context.store().get(id)?.status === 'stopped') return;
  await seize(context, id, 'stopping');
  context.store().update(id, (present) => {
    if (!owns(present, context.self)) throw busyError(present);
    const stopped = moveTo(present, {status: 'stopped'});
    // Who stops it knows, and the next command need not say it again.
    return hasEndedUnexpectedly(stopped) ? {...stopped, ended: null} : stopped;
  });
};

/** What somebody else is stopping will be stopped: that is all that was asked for. */
const untilNobodyStops = async (context: VmContext, id: string): Promise<void> => {
  const isStopping = ({status, owner}: VmRecord): boolean =>
    status === 'stopping' && owner !== null && context.isAlive(owner);
  await waitWhile(context, id, (_, present) => isStopping(present));
};

const cleanVm = async (context: VmContext, id: string, keepPersist: boolean): Promise<void> => {
  // What is no id never was a folder of ours; what is one may have left files without a record.
  if (!isVmId(id)) return;
  if (readableRecord(context, id)) await seize(context, id, 'cleaning');
  await removeVm(context, id, {keepPersist});
};
