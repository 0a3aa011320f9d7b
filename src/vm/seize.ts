import {setTimeout as sleep} from 'node:timers/promises';
import {AgentError} from '../model/errors.js';
import type {ProcessRef, VmRecord} from '../model/vm-record.js';
import {busyError, letGo, owns, takeOver} from './lifecycle.js';
import type {VmContext} from './vm-context.js';

/** Longer than a monitor's own deadlines for a guest that does not end. */
const LETTING_GO_MS = 25_000;
const POLL_MS = 50;

/**
 * Takes a VM over and waits until those it was taken from have let go: they see it in the record, and let the guest
 * write its disks. Then ends what is left. A VM that is gone meanwhile is none to take. Throws VM_BUSY where the VM is
 * taken from us in turn.
 */
export const seize = async (
  context: VmContext,
  id: string,
  status: 'stopping' | 'cleaning',
): Promise<void> => {
  let monitor: ProcessRef | null = null;
  const taken = context.store().update(id, (present) => {
    const next = take(context, present, status);
    monitor = next !== present && present.socket !== null ? present.owner : null;
    return next;
  });
  if (!taken) return;
  if (monitor) signal(context, monitor, 'SIGTERM'); // others look at the record themselves
  // Somebody else is cleaning it already: they win, and we wait for them.
  const isHeld = owns(taken, context.self) ? isHeldByEvicted : isHeldByOwner;
  context.progress.step(`waiting for VM '${id}' to end`);
  try {
    await waitWhile(context, id, isHeld);
  } catch (error) {
    context.store().update(id, (present) => letGo(present, context.self));
    throw error;
  }
  if (monitor) signal(context, monitor, 'SIGKILL'); // one that is stuck
  await context.launcher(taken.launcher).end({id});
};

const take = (context: VmContext, present: VmRecord, status: 'stopping' | 'cleaning'): VmRecord =>
  status === 'cleaning' && isBeingCleaned(context, present)
    ? present
    : takeOver(present, status, context.self);

const isBeingCleaned = (context: VmContext, {status, owner}: VmRecord): boolean =>
  status === 'cleaning' && owner !== null && owner.pid !== context.self.pid && context.isAlive(owner);

const signal = (context: VmContext, ref: ProcessRef, name: NodeJS.Signals): void => {
  try {
    if (context.isAlive(ref)) process.kill(ref.pid, name);
  } catch {
    // it has just ended
  }
};

type IsHeld = (context: VmContext, record: VmRecord) => boolean;

const isHeldByEvicted: IsHeld = (context, record) => {
  if (!owns(record, context.self)) throw busyError(record);
  return record.evicted.some(context.isAlive);
};

const isHeldByOwner: IsHeld = isBeingCleaned;

/** Who has not let go by the deadline is stuck: it is then ended, and the VMM over its head. */
export const waitWhile = async (context: VmContext, id: string, isHeld: IsHeld): Promise<void> => {
  const deadline = Date.now() + LETTING_GO_MS;
  for (;;) {
    const present = context.store().get(id);
    if (!present || !isHeld(context, present) || Date.now() > deadline) return;
    if (context.signal.aborted) throw new AgentError('INTERRUPTED', `waiting for VM '${id}' was interrupted`);
    await sleep(POLL_MS);
  }
};
