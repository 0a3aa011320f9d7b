import {setTimeout as sleep} from 'node:timers/promises';
import type {ProcessRef, VmRecord} from '../model/vm-record.js';
import {moveTo} from './lifecycle.js';
import {vmFolder} from './reap.js';
import type {VmContext} from './vm-context.js';

const OWNER_DEADLINE_MS = 20_000;
const POLL_MS = 50;

/**
 * Takes a VM over: asks its present owner to end (it lets the guest write its disks), then ends what is left. A VM that
 * is gone meanwhile is none to take.
 */
export const seize = async (
  context: VmContext,
  id: string,
  status: 'stopping' | 'cleaning',
): Promise<void> => {
  const before = context.store().get(id);
  if (!before) return;
  const after = context.store().update(id, (present) => take(context, present, status));
  const {owner} = before;
  if (after && owner && owner.pid !== context.self.pid) {
    // Somebody else is cleaning it already: they win, and we wait for them.
    if (before.status !== 'cleaning') context.terminate(owner);
    await waitWhileHeld(context, owner, id);
  }
  await context.launcher(before.launcher).destroy({id, folder: vmFolder(context, id), vmm: before.vmm});
};

const take = (context: VmContext, present: VmRecord, status: 'stopping' | 'cleaning'): VmRecord =>
  status === 'cleaning' && isBeingCleaned(context, present)
    ? present
    : moveTo(present, {status, owner: context.self, vmm: present.vmm});

const isBeingCleaned = (context: VmContext, {status, owner}: VmRecord): boolean =>
  status === 'cleaning' && owner !== null && owner.pid !== context.self.pid && context.isAlive(owner);

/** An owner that has not let go by the deadline is stuck: its VMM is then ended over its head. */
const waitWhileHeld = async (context: VmContext, owner: ProcessRef, id: string): Promise<void> => {
  const deadline = Date.now() + OWNER_DEADLINE_MS;
  const isHeld = (): boolean => context.isAlive(owner) && context.store().get(id) !== undefined;
  while (isHeld() && Date.now() < deadline) await sleep(POLL_MS);
};
