/** The states of a VM and the moves between them: pure functions from record to record (docs/architecture.md). */
import {AgentError} from '../model/errors.js';
import type {ProcessRef, VmRecord, VmStatus} from '../model/vm-record.js';

const moves: Readonly<Record<VmStatus, readonly VmStatus[]>> = {
  provisioning: ['ready', 'failed', 'cleaning'],
  ready: ['booting', 'stopping', 'cleaning'],
  booting: ['running', 'ready', 'failed', 'stopping', 'cleaning'],
  running: ['ready', 'failed', 'stopping', 'cleaning'],
  stopping: ['stopped', 'ready', 'failed', 'cleaning'],
  stopped: ['booting', 'stopping', 'cleaning'],
  failed: ['booting', 'stopping', 'cleaning'],
  cleaning: ['cleaning'],
};

/** States in which a process is at work on the VM. */
const busy: ReadonlySet<VmStatus> = new Set(['provisioning', 'booting', 'running', 'stopping', 'cleaning']);

export const isBusy = (status: VmStatus): boolean => busy.has(status);

interface Change {
  readonly status: VmStatus;
  readonly owner?: ProcessRef | null;
  readonly vmm?: ProcessRef | null;
  readonly failure?: string | null;
  readonly socket?: string | null;
}

/** The record in its next state; throws VM_BUSY for a move that its present state does not allow. */
export const moveTo = (
  record: VmRecord,
  {status, owner = null, vmm = null, failure = null, socket = null}: Change,
): VmRecord => {
  if (!moves[record.status].includes(status)) throw busyError(record);
  return {...record, status, owner, vmm, failure, socket};
};

interface Claim {
  readonly self: ProcessRef;
  readonly isAlive: (ref: ProcessRef) => boolean;
  /** Where `self` will listen, if it is a monitor. */
  readonly socket?: string | null;
}

/** Takes a VM that nobody is at work on, for `self`. */
export const claim = (
  record: VmRecord,
  status: VmStatus,
  {self, isAlive, socket = null}: Claim,
): VmRecord => {
  if (record.owner && record.owner.pid !== self.pid && isAlive(record.owner)) throw busyError(record);
  return {...moveTo(record, {status, owner: self, socket}), evicted: record.evicted.filter(isAlive)};
};

/** Changes the record only while `self` owns the VM: whoever took it meanwhile has won, and keeps it as it is. */
export const changeOwn = (
  record: VmRecord,
  self: ProcessRef,
  change: (record: VmRecord) => VmRecord,
): VmRecord => (owns(record, self) ? change(record) : record);

const isSame = (a: ProcessRef, b: ProcessRef): boolean => a.pid === b.pid && a.startedAt === b.startedAt;

export const owns = (record: VmRecord, self: ProcessRef): boolean =>
  record.owner !== null && isSame(record.owner, self);

/** Takes a VM from whoever works on it: that process is noted until it has let go. */
export const takeOver = (record: VmRecord, status: 'stopping' | 'cleaning', self: ProcessRef): VmRecord => {
  const taken = moveTo(record, {status, owner: self, vmm: record.vmm});
  const {owner, evicted} = record;
  return owner && !isSame(owner, self) ? {...taken, evicted: [...evicted, owner]} : taken;
};

/** What a process does last with a VM that was taken from it. */
export const letGo = (record: VmRecord, self: ProcessRef): VmRecord =>
  record.evicted.some((ref) => isSame(ref, self))
    ? {...record, evicted: record.evicted.filter((ref) => !isSame(ref, self))}
    : record;

export const busyError = (record: VmRecord): AgentError =>
  new AgentError('VM_BUSY', `VM '${record.id}' is ${record.status}.`, {
    details: record.owner ? [`process ${record.owner.pid} is at work on it`] : [],
    hints: [`wait for it to finish, or end it: agent vm stop --vm ${record.id}`],
  });

const INTERRUPTED = 'the process that worked on it was interrupted';
/** Nobody asked for it: the next one who uses the VM should know. */
export const hasEndedUnexpectedly = ({status, ended}: VmRecord): boolean =>
  ended !== null && (status === 'failed' || ended === MONITOR_KILLED);

const MONITOR_KILLED = 'Its monitor was killed, or this machine was restarted.';

/**
 * What a record means when its owner may have died: a VM that was being made is failed, one that was up is stopped (its
 * VMM died with its monitor), one that was being cleaned is failed until somebody cleans it again.
 */
export const settle = (record: VmRecord, isAlive: (ref: ProcessRef) => boolean): VmRecord => {
  const orphaned = record.owner ? !isAlive(record.owner) : isBusy(record.status);
  if (!orphaned) return record;
  const gone = record.ephemeral || record.status === 'provisioning' || record.status === 'cleaning';
  if (gone) return {...record, status: 'failed', owner: null, failure: INTERRUPTED};
  return {
    ...record,
    status: 'stopped',
    owner: null,
    vmm: null,
    socket: null,
    failure: null,
    ended: record.status === 'stopping' ? record.ended : MONITOR_KILLED,
  };
};
