/** From a machine's description to a running VMM: the steps that a VM's boot, templates and the accelerator's probe share. */
import {createHash} from 'node:crypto';
import {statSync} from 'node:fs';
import type {NetworkMode} from '../../model/network.js';
import {type BootFiles, prepareBootFiles} from './boot-files.js';
import type {KernelFile} from './kernel/choose-kernel.js';
import type {Candidate} from './machine/candidates.js';
import {planConfinement} from './machine/confinement.js';
import type {MachineRequest} from './machine/machine-request.js';
import {type MachinePlan, planMachine} from './machine/plan-machine.js';
import {type StartedMachine, startMachine} from './machine/start-machine.js';
import type {Parts} from './parts.js';

export interface LaunchRequest {
  readonly parts: Parts;
  readonly cacheFolder: string;
  readonly kernel: KernelFile;
  readonly candidate: Candidate;
  readonly kvmGroup: number | null;
  readonly marker: string;
  readonly hostName: string;
  readonly cpus: number;
  readonly memoryMib: number;
  readonly network: NetworkMode;
  readonly disks: MachineRequest['disks'];
  readonly template: MachineRequest['template'];
  readonly logPath: string | null;
  readonly signal: AbortSignal;
}

/** A machine that is ready to be started. */
export interface PlannedMachine {
  readonly bootFiles: BootFiles;
  readonly plan: MachinePlan;
}

/** Throws MissingModuleError where this kernel will not do. */
export const launch = async (request: LaunchRequest): Promise<StartedMachine> =>
  await startPlanned(request, await planLaunch(request));

export const planLaunch = async (request: LaunchRequest): Promise<PlannedMachine> => {
  const {parts, candidate, disks, network, signal} = request;
  const {host} = parts;
  const bootFiles = await prepareBootFiles({
    cacheFolder: request.cacheFolder,
    kernel: request.kernel,
    architecture: host.architecture,
    needs: {transport: candidate.transport, disks: disks !== null, network: network !== 'none'},
    guestAgentPath: parts.guestAgentPath,
    signal,
  });
  const plan = planMachine({
    ...request,
    ...bootFiles,
    architecture: host.architecture,
    openKernelByFd: host.platform === 'linux',
  });
  return {bootFiles, plan};
};

export const startPlanned = async (
  request: LaunchRequest,
  {plan}: PlannedMachine,
): Promise<StartedMachine> => {
  const {parts, candidate, disks, network, signal} = request;
  const {prefix} = planConfinement({
    host: parts.host,
    tools: parts.tools,
    vmNumber: createHash('sha256').update(request.marker).digest().readUInt32LE(0),
    kvmGroup: request.kvmGroup,
    largestDiskBytes: largestOf(disks),
    offline: network === 'none',
  });
  return await startMachine({
    qemuPath: parts.qemuPath,
    plan,
    confinement: prefix,
    accelerator: candidate.accelerator,
    logPath: request.logPath,
    signal,
  });
};

const largestOf = (disks: MachineRequest['disks']): number =>
  Math.max(0, ...[disks?.upperPath, disks?.persistPath].map((path) => (path ? statSync(path).size : 0)));
