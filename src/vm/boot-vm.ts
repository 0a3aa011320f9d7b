import {performance} from 'node:perf_hooks';
import {setTimeout as sleep} from 'node:timers/promises';
import {connectGuest} from '../guest/connect.js';
import type {Guest} from '../guest/guest.js';
import type {Machine, MachineSpec} from '../launcher/launcher.js';
import {AgentError, toAgentError} from '../model/errors.js';
import type {VmRecord} from '../model/vm-record.js';
import {changeOwn, claim, moveTo} from './lifecycle.js';
import {whileOwned} from './ownership.js';
import type {VmContext} from './vm-context.js';

export interface BootedVm {
  readonly guest: Guest;
  readonly machine: Machine;
  readonly bootMs: number;
}

const BOOT_DEADLINE_MS = 60_000;
const SYNC_DEADLINE_MS = 10_000;
const SHUTDOWN = {graceMs: 300, timeoutMs: 10_000} as const;
const POWER_OFF_MS = 5_000;

/** Boots the VM, lets `use` work in it, and ends it whatever happens. The record says so at each step. */
export const withBootedVm = async <T>(
  context: VmContext,
  {record, spec}: {readonly record: VmRecord; readonly spec: MachineSpec},
  use: (vm: BootedVm, context: VmContext) => Promise<T>,
): Promise<T> => {
  context.store().update(record.id, (present) => claim(present, 'booting', context));
  return await whileOwned(context, record.id, (held) => bootAndUse(held, {record, spec}, use));
};

const bootAndUse = async <T>(
  context: VmContext,
  {record, spec}: {readonly record: VmRecord; readonly spec: MachineSpec},
  use: (vm: BootedVm, context: VmContext) => Promise<T>,
): Promise<T> => {
  let machine: Machine | undefined;
  let guest: Guest | undefined;
  try {
    const startedAt = performance.now();
    const interruption = linked(context.signal);
    machine = await context
      .launcher(record.launcher)
      .boot(spec, {progress: context.progress, signal: interruption.signal});
    guest = await greet(context, record, machine);
    // From now on an interrupted guest gets to write its disks.
    interruption.unlink();
    const result = await use({guest, machine, bootMs: performance.now() - startedAt}, context);
    await end({record, guest, machine});
    finish(context, record, null);
    return result;
  } catch (error) {
    if (machine && guest) await end({record, guest, machine});
    else await machine?.kill();
    finish(context, record, guest || context.signal.aborted ? null : toAgentError(error).message);
    throw error;
  }
};

/** A signal that is aborted with another one, until it is unlinked. */
const linked = (signal: AbortSignal): {readonly signal: AbortSignal; readonly unlink: () => void} => {
  const own = new AbortController();
  const abort = (): void => own.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  return {signal: own.signal, unlink: () => signal.removeEventListener('abort', abort)};
};

const greet = async (context: VmContext, record: VmRecord, machine: Machine): Promise<Guest> => {
  const {vmm, channel, lastLines} = machine;
  change(context, record.id, (own) => ({...own, vmm}));
  const guest = await connectGuest({channel, timeoutMs: BOOT_DEADLINE_MS, signal: context.signal, lastLines});
  await guest.sync(SYNC_DEADLINE_MS);
  const running = change(context, record.id, (own) =>
    moveTo(own, {status: 'running', owner: context.self, vmm}),
  );
  if (running?.status !== 'running') {
    throw new AgentError('INTERRUPTED', `VM '${record.id}' was stopped while it booted.`);
  }
  return guest;
};

const change = (context: VmContext, id: string, next: (own: VmRecord) => VmRecord): VmRecord | undefined =>
  context.store().update(id, (present) => changeOwn(present, context.self, next));

/** A temporary VM has nothing to keep, so it is simply ended; the others get to write their disks first. */
const end = async ({
  record,
  guest,
  machine,
}: {
  readonly record: VmRecord;
  readonly guest: Guest;
  readonly machine: Machine;
}): Promise<void> => {
  if (!record.ephemeral) {
    await guest.shutdown(SHUTDOWN).catch(() => {
      // A guest that does not answer is ended below; its file system has a journal.
    });
    await Promise.race([machine.exited, sleep(POWER_OFF_MS, undefined, {ref: false})]);
  }
  guest.close();
  await machine.kill();
};

const finish = (context: VmContext, record: VmRecord, failure: string | null): void => {
  change(context, record.id, (own) => ({
    ...moveTo(own, {
      status: failure ? 'failed' : 'ready',
      owner: record.ephemeral ? context.self : null,
      failure,
    }),
    lastRunAt: context.now().toISOString(),
  }));
};
