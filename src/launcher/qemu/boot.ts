/** Boots a VM: the first kernel that has what the guest needs, in the machine that works here. */
import {join} from 'node:path';
import {AgentError} from '../../model/errors.js';
import {architectureOf} from '../common/host.js';
import {requireSpace} from '../common/require-space.js';
import type {BootOptions, LaunchOptions, Machine, MachineSpec} from '../launcher.js';
import type {KernelFile} from './kernel/choose-kernel.js';
import {MissingModuleError} from './kernel/modules.js';
import {type LaunchRequest, launch} from './launch.js';
import {machineFor} from './machine-for.js';
import {findParts, kernelNotFound, markerOf, type Parts, type QemuLauncherOptions} from './parts.js';
import {disksOf, hasUpper} from './provision.js';
import {tryToRestore} from './template/restore.js';

export const boot = async (
  options: QemuLauncherOptions,
  spec: MachineSpec,
  bootOptions: BootOptions,
): Promise<Machine> => {
  const parts = await findParts(options);
  requireArchitecture(spec, parts);
  await requireSpace(writtenFolders(spec));
  return await withFirstComplete(parts, async (kernel) => {
    const request = await launchRequest({options, spec, parts, kernel, ...bootOptions});
    const restored = bootOptions.mayRestore
      ? await tryToRestore(request, {spec, folder: options.templatesFolder, progress: bootOptions.progress})
      : undefined;
    return restored ?? (await launch(request));
  });
};

/** Tries the kernels in turn, as long as they lack modules. */
export const withFirstComplete = async <T>(
  {kernels, host}: Pick<Parts, 'kernels' | 'host'>,
  use: (kernel: KernelFile) => Promise<T>,
): Promise<T> => {
  const missing: string[] = [];
  for (const kernel of kernels) {
    try {
      return await use(kernel);
    } catch (error) {
      if (!(error instanceof MissingModuleError)) throw error;
      missing.push(`${kernel.path} lacks the module ${error.message}`);
    }
  }
  throw kernelNotFound(missing, host);
};

interface BootRequest extends LaunchOptions {
  readonly options: QemuLauncherOptions;
  readonly spec: MachineSpec;
  readonly parts: Parts;
  readonly kernel: KernelFile;
}

/** What starts this VM, by booting. */
export const launchRequest = async (request: BootRequest): Promise<LaunchRequest> => {
  const {options, spec, parts, kernel, signal} = request;
  const {candidate, kvmGroup} = await machineFor({...request, afresh: false});
  return {
    parts,
    cacheFolder: options.cacheFolder,
    kernel,
    candidate,
    kvmGroup,
    marker: markerOf(options, spec.id),
    hostName: spec.id,
    cpus: spec.cpus,
    memoryMib: spec.memoryMib,
    network: spec.network,
    disks: disksOf(spec),
    template: null,
    logPath: join(spec.folder, 'console.log'),
    signal,
  };
};

/** Where the guest's writes go. */
const writtenFolders = (spec: MachineSpec): string[] =>
  [hasUpper(spec) ? spec.folder : null, spec.persistFolder].filter((path) => path !== null);

export const requireArchitecture = ({image}: Pick<MachineSpec, 'image'>, {host}: Parts): void => {
  if (architectureOf(image.architecture) === host.architecture) return;
  throw new AgentError(
    'IMAGE_UNUSABLE',
    `The image is for ${image.architecture}, and this machine is ${host.architecture}.`,
    {hints: [`use an image for ${host.architecture}`]},
  );
};
