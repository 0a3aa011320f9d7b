/** Starts a planned VMM and keeps watch over it until it has ended. */
import type {Duplex} from 'node:stream';
import {setTimeout as sleep} from 'node:timers/promises';
import {AgentError, deadlineError} from '../../../model/errors.js';
import {identifyProcess} from '../../../process/identity.js';
import {type SpawnedVmm, spawnVmm} from '../../../process/spawn-vmm.js';
import {keepConsole} from '../../common/console.js';
import type {Machine, VmmExit} from '../../launcher.js';
import type {MachinePlan} from './plan-machine.js';

export interface StartRequest {
  readonly qemuPath: string;
  readonly plan: MachinePlan;
  /** What QEMU is started through. */
  readonly confinement: readonly string[];
  readonly accelerator: string;
  /** Where the console is kept; null: only in memory. */
  readonly logPath: string | null;
  readonly signal: AbortSignal;
}

export interface StartedMachine extends Machine {
  /** QMP, where the plan has it. */
  readonly control: Duplex | null;
}

const REAPING_DEADLINE_MS = 5_000;
const DRAINING_DEADLINE_MS = 1_000;

// Nothing of ours: a VMM that was broken into finds no token and no agent socket there.
const ENVIRONMENT = {PATH: '/usr/bin:/bin', LC_ALL: 'C'};

export const startMachine = async (request: StartRequest): Promise<StartedMachine> => {
  request.signal.throwIfAborted();
  const [file = request.qemuPath, ...args] = [...request.confinement, request.qemuPath, ...request.plan.args];
  const vmm = await spawnVmm({
    file,
    args,
    env: ENVIRONMENT,
    files: request.plan.files,
    control: request.plan.savePath !== null,
  });
  return await watch(vmm, request);
};

const watch = async (
  vmm: SpawnedVmm,
  {accelerator, logPath, signal}: StartRequest,
): Promise<StartedMachine> => {
  const {lastLines, finished} = keepConsole({console: vmm.console, output: vmm.output, logPath});
  signal.addEventListener('abort', vmm.kill);
  if (signal.aborted) vmm.kill();
  const exited = vmm.ended.then(async (end): Promise<VmmExit> => {
    signal.removeEventListener('abort', vmm.kill);
    await Promise.race([finished, sleep(DRAINING_DEADLINE_MS, undefined, {ref: false})]);
    vmm.console.destroy();
    vmm.control?.destroy();
    vmm.output.destroy();
    return end;
  });
  const kill = async (): Promise<void> => {
    vmm.kill();
    vmm.channel.destroy();
    const reaped = exited.then(() => true);
    const late = sleep(REAPING_DEADLINE_MS, false, {ref: false});
    if (await Promise.race([reaped, late])) return;
    throw deadlineError(`ending the VMM (process ${vmm.pid})`, REAPING_DEADLINE_MS);
  };
  const ref = identifyProcess(vmm.pid);
  if (ref === undefined) {
    await kill();
    throw new AgentError('BOOT_FAILED', 'The VMM ended as soon as it was started.', {details: lastLines()});
  }
  const {channel, control} = vmm;
  return {channel, control, vmm: ref, accelerator, restored: null, lastLines, exited, kill};
};
