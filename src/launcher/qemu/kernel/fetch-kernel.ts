/** Downloads the distribution's kernel for virtual machines and unpacks it, as any user and without touching /boot. */
import {existsSync} from 'node:fs';
import {mkdir, readdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {AgentError} from '../../../model/errors.js';
import type {Progress} from '../../../model/progress.js';
import {run} from '../../../process/run.js';
import {makeAtomically} from '../../common/atomic-file.js';
import {type Architecture, architectureOf, type Environment, findProgram} from '../../common/host.js';
import {downloadedKernels} from './find-kernels.js';
import {loadModules} from './module-files.js';
import {MissingModuleError} from './modules.js';
import {
  extraModulePackage,
  kernelMetaPackages,
  parseKernelPackage,
  parseModulePackages,
  releaseOf,
} from './plan-download.js';

export interface FetchKernelOptions {
  /** As for createQemuLauncher. */
  readonly cacheFolder: string;
  readonly env: Environment;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface FetchedKernel {
  /** `uname -r`. */
  readonly release: string;
  readonly folder: string;
  /** False: the newest was there already. */
  readonly downloaded: boolean;
}

const DOWNLOADS = 'packages';

/** Calling it again downloads nothing unless there is a newer kernel. Throws KERNEL_NOT_FOUND, PROCESS_FAILED. */
export const fetchKernel = async (options: FetchKernelOptions): Promise<FetchedKernel> => {
  const architecture = architectureOf(process.arch);
  requireTools(options.env);
  const {kernelPackage, modulePackages} = await findPackages(options, architecture);
  const release = releaseOf(kernelPackage);
  const folder = join(downloadedKernels(options.cacheFolder), release);
  if (existsSync(folder)) return {release, folder, downloaded: false};
  options.progress.step(`downloading the guest kernel ${release}`);
  await makeAtomically(folder, async (temporary) => {
    await mkdir(temporary, {mode: 0o700});
    for (const name of [kernelPackage, ...modulePackages]) await fetchPackage(name, temporary, options);
    const extra = modulePackages.map(extraModulePackage);
    if (!(await isComplete(temporary, release, options))) {
      for (const name of extra) await fetchPackage(name, temporary, options);
    }
    await rm(join(temporary, DOWNLOADS), {recursive: true});
  });
  return {release, folder, downloaded: true};
};

const requireTools = (env: Environment): void => {
  const missing = ['apt-cache', 'apt-get', 'dpkg-deb'].filter((tool) => findProgram(env, tool) === undefined);
  if (missing.length === 0) return;
  throw new AgentError('KERNEL_NOT_FOUND', 'Downloading a kernel is supported on Debian and Ubuntu only.', {
    details: [`not installed: ${missing.join(', ')}`],
    hints: ['install a kernel with its modules, or name one: AGENT_KERNEL=/path/to/vmlinuz'],
  });
};

const findPackages = async (
  options: FetchKernelOptions,
  architecture: Architecture,
): Promise<{kernelPackage: string; modulePackages: string[]}> => {
  for (const meta of kernelMetaPackages(architecture)) {
    const kernelPackage = parseKernelPackage(await depends(meta, options));
    if (kernelPackage === undefined) continue;
    const modulePackages = parseModulePackages(await depends(kernelPackage, options));
    return {kernelPackage, modulePackages};
  }
  throw new AgentError('KERNEL_NOT_FOUND', 'apt knows no kernel package for virtual machines.', {
    details: [`looked for: ${kernelMetaPackages(architecture).join(', ')}`],
    hints: ['update the package lists: sudo apt-get update', 'then run again: agent setup'],
  });
};

const depends = async (name: string, {signal}: FetchKernelOptions): Promise<string> => {
  try {
    const args = ['depends', '--no-recommends', '--no-suggests', name];
    const {stdout} = await run({file: 'apt-cache', args, phase: 'asking apt', timeoutMs: 30_000, signal});
    return stdout;
  } catch (error) {
    if (error instanceof AgentError && error.code === 'PROCESS_FAILED') return ''; // no such package
    throw error;
  }
};

const fetchPackage = async (
  name: string,
  folder: string,
  {progress, signal}: FetchKernelOptions,
): Promise<void> => {
  const downloads = join(folder, DOWNLOADS);
  await mkdir(downloads, {recursive: true});
  await run({
    file: 'apt-get',
    args: ['download', name],
    cwd: downloads,
    phase: `downloading ${name}`,
    timeoutMs: 15 * 60_000,
    signal,
    onLine: progress.detail,
  });
  const file = (await readdir(downloads)).find((entry) => entry.startsWith(`${name}_`));
  if (file === undefined) throw new AgentError('PROCESS_FAILED', `apt-get has not downloaded '${name}'.`);
  const args = ['-x', join(downloads, file), folder];
  await run({file: 'dpkg-deb', args, phase: `unpacking ${name}`, timeoutMs: 5 * 60_000, signal});
};

const isComplete = async (
  folder: string,
  release: string,
  {signal}: FetchKernelOptions,
): Promise<boolean> => {
  const modules = ['lib/modules', 'usr/lib/modules']
    .map((place) => join(folder, place, release))
    .find((place) => existsSync(place));
  const needs = {transport: 'pci', disks: true, network: true} as const;
  try {
    if (modules !== undefined) await loadModules(modules, needs, {folder, signal});
    return modules !== undefined;
  } catch (error) {
    if (error instanceof MissingModuleError) return false;
    throw error;
  }
};
