/** From a VM's record to a guest that answers. */
import {performance} from 'node:perf_hooks';
import {type ConnectedGuest, connectChannel} from '../guest/connect.js';
import type {Machine, MachineSpec} from '../launcher/launcher.js';
import {AgentError} from '../model/errors.js';
import type {VmRecord} from '../model/vm-record.js';
import {changeOwn, moveTo} from './lifecycle.js';
import {machineIdOf} from './machine-id.js';
import type {VmContext} from './vm-context.js';

export interface BootedMachine extends ConnectedGuest {
  readonly machine: Machine;
  readonly bootMs: number;
}

const BOOT_DEADLINE_MS = 60_000;
const SYNC_DEADLINE_MS = 10_000;

/** Boots a VM that is ours; the record is `running` afterwards. What fails leaves no VMM. */
export const bootMachine = async (
  context: VmContext,
  {record, spec}: {readonly record: VmRecord; readonly spec: MachineSpec},
): Promise<BootedMachine> => {
  const startedAt = performance.now();
  const interruption = linked(context.signal);
  const machine = await context
    .launcher(record.launcher)
    .boot(spec, {progress: context.progress, signal: interruption.signal});
  try {
    const connected = await greet(context, record, machine);
    // From now on an interrupted guest gets to write its disks.
    interruption.unlink();
    return {...connected, machine, bootMs: performance.now() - startedAt};
  } catch (error) {
    await machine.kill();
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

const greet = async (context: VmContext, record: VmRecord, machine: Machine): Promise<ConnectedGuest> => {
  const {vmm, channel, lastLines} = machine;
  const change = (next: (own: VmRecord) => VmRecord): VmRecord | undefined =>
    context.store().update(record.id, (present) => changeOwn(present, context.self, next));
  change((own) => ({...own, vmm}));
  const connected = await connectChannel({
    channel,
    timeoutMs: BOOT_DEADLINE_MS,
    signal: context.signal,
    lastLines,
  });
  await connected.guest.sync(SYNC_DEADLINE_MS, machineIdOf(context.paths.root, record));
  const running = change((own) => ({
    ...moveTo(own, {status: 'running', owner: context.self, vmm, socket: own.socket}),
    ended: null,
  }));
  if (running?.status !== 'running') {
    throw new AgentError('INTERRUPTED', `VM '${record.id}' was stopped while it booted.`);
  }
  return connected;
};
