/** Commands in a VM that stays up: connects to its monitor, and starts that where the VM is down. */
import {performance} from 'node:perf_hooks';
import {setTimeout as sleep} from 'node:timers/promises';
import {AgentError, deadlineError} from '../model/errors.js';
import type {VmRecord} from '../model/vm-record.js';
import {MonitorGoneError} from '../monitor/monitor-gone.js';
import type {RunningGuest} from '../monitor/monitors.js';
import type {UpVm} from './boot-vm.js';
import {busyError, hasEndedUnexpectedly} from './lifecycle.js';
import {reap, vmFolder} from './reap.js';
import type {VmContext} from './vm-context.js';

export interface RunningVm extends UpVm, Omit<RunningGuest, 'guest' | 'close'> {}

const POLL_MS = 25;
const DEADLINE_MS = 200_000;

/** Lets `use` work in the VM, which is up afterwards too. Sessions that `use` leaves open end. */
export const withRunningVm = async <T>(
  context: VmContext,
  id: string,
  use: (vm: RunningVm) => Promise<T>,
): Promise<T> => {
  const startedAt = performance.now();
  const {close, ...running} = await connectOrBoot(context, id);
  try {
    const {accelerator} = running.status;
    return await use({...running, accelerator, readyMs: performance.now() - startedAt});
  } finally {
    close();
  }
};

const connectOrBoot = async (context: VmContext, id: string): Promise<RunningGuest> => {
  const startedAt = performance.now();
  while (performance.now() - startedAt < DEADLINE_MS) {
    const present = context.store().get(id);
    if (!present) throw new AgentError('VM_NOT_FOUND', `VM '${id}' was removed by another process.`);
    const running = isHeld(context, present)
      ? await tryConnect(context, present)
      : await boot(context, present);
    if (running) return running;
    await sleep(POLL_MS, undefined, {signal: context.signal}).catch((cause: unknown) => {
      throw new AgentError('INTERRUPTED', `waiting for VM '${id}' was interrupted`, {cause});
    });
  }
  throw deadlineError(`waiting until VM '${id}' is up`, performance.now() - startedAt);
};

const isHeld = (context: VmContext, {owner}: VmRecord): boolean => owner !== null && context.isAlive(owner);

/** Undefined where it is still booting, or just ending. */
const tryConnect = async (context: VmContext, record: VmRecord): Promise<RunningGuest | undefined> => {
  const {id, status, socket} = record;
  if (status === 'booting' && socket !== null) {
    context.progress.step(`waiting for VM '${id}', which another process boots`);
    return undefined;
  }
  // It ends by itself, and nobody asked for that.
  if (status === 'stopping' && socket !== null) return undefined;
  if (status !== 'running' || socket === null) throw busyError(record);
  try {
    return await context.monitors.connect({id, socket, folder: vmFolder(context, id)}, context);
  } catch (error) {
    if (error instanceof MonitorGoneError) return undefined;
    throw error;
  }
};

const boot = async (context: VmContext, {id, owner}: VmRecord): Promise<undefined> => {
  if (owner !== null) await reap(context); // a dead one, which may have left its VMM
  const before = context.store().get(id);
  if (before && hasEndedUnexpectedly(before))
    context.notice(`VM '${id}' had ended: ${before.ended} It boots again.`);
  context.progress.step(`booting VM '${id}'`);
  try {
    await context.monitors.start({id, folder: vmFolder(context, id)}, context);
  } catch (error) {
    // Another process was faster.
    if (!(error instanceof AgentError && error.code === 'VM_BUSY')) throw error;
    const present = context.store().get(id);
    if (!present?.socket || !isHeld(context, present)) throw error;
  }
  return undefined;
};
