/** From a VM's record to a guest that answers. */
import {performance} from 'node:perf_hooks';
import {type ConnectedGuest, connectChannel} from '../guest/connect.js';
import type {Machine, MachineSpec} from '../launcher/launcher.js';
import {AgentError, toAgentError} from '../model/errors.js';
import type {VmRecord} from '../model/vm-record.js';
import {changeOwn, moveTo} from './lifecycle.js';
import {machineIdOf} from './machine-id.js';
import type {VmContext} from './vm-context.js';

export interface BootedMachine extends ConnectedGuest {
  readonly machine: Machine;
  readonly bootMs: number;
}

const BOOT_DEADLINE_MS = 60_000;
/** A copy of a template answers in a fraction of a second, or not at all. */
const RESTORE_DEADLINE_MS = 20_000;
const SYNC_DEADLINE_MS = 10_000;

interface Booting {
  readonly record: VmRecord;
  readonly spec: MachineSpec;
}

/** Boots a VM that is ours, or has it go on from a template; the record is `running` afterwards. What fails leaves no VMM. */
export const bootMachine = async (context: VmContext, booting: Booting): Promise<BootedMachine> => {
  const startedAt = performance.now();
  const interruption = linked(context.signal);
  const up = await start({...context, signal: interruption.signal}, booting, context.templates.isOn);
  // From now on an interrupted guest gets to write its disks.
  interruption.unlink();
  if (up.machine.restored) context.progress.detail('it goes on from a template');
  else haveTemplateMade(context, booting);
  return {...up, bootMs: performance.now() - startedAt};
};

const start = async (
  context: VmContext,
  {record, spec}: Booting,
  mayRestore: boolean,
): Promise<Omit<BootedMachine, 'bootMs'>> => {
  const {progress, signal} = context;
  const machine = await context.launcher(record.launcher).boot(spec, {progress, signal, mayRestore});
  try {
    return {...(await greet(context, record, machine)), machine};
  } catch (error) {
    await machine.kill();
    const {code, message} = toAgentError(error);
    if (!machine.restored || code === 'INTERRUPTED') throw error;
    progress.detail(`booting, since the template cannot be used: ${message}`);
    await machine.restored.discard();
    return await start(context, {record, spec}, false);
  }
};

/** So that the next VM like this one need not boot. */
const haveTemplateMade = ({templates}: VmContext, {record, spec}: Booting): void => {
  const {launcher, language} = record;
  if (templates.isOn) templates.makeLater({launcher, language, spec});
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
  const {vmm, channel, lastLines, restored} = machine;
  const change = (next: (own: VmRecord) => VmRecord): VmRecord | undefined =>
    context.store().update(record.id, (present) => changeOwn(present, context.self, next));
  change((own) => ({...own, vmm}));
  const connected = await connectChannel({
    channel,
    timeoutMs: restored ? RESTORE_DEADLINE_MS : BOOT_DEADLINE_MS,
    signal: context.signal,
    lastLines,
  });
  if (restored && !restored.isSound())
    throw new AgentError('BOOT_FAILED', 'it was damaged while it was read');
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
