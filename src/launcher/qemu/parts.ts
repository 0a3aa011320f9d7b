/** Finds what a boot needs on this machine, or says how to get it. */

import {createHash} from 'node:crypto';
import {dirname, resolve} from 'node:path';
import {AgentError} from '../../model/errors.js';
import {findGuestAgent} from '../common/guest-agent.js';
import {describeHost, type Environment, findProgram, type Host} from '../common/host.js';
import {findQemu, qemuName} from './find-qemu.js';
import {type KernelFile, rankKernels} from './kernel/choose-kernel.js';
import {findKernels, userKernel} from './kernel/find-kernels.js';
import type {ConfinementTools} from './machine/confinement.js';

export interface QemuLauncherOptions {
  /** `<state>/templates`. */
  readonly templatesFolder: string;
  /** Runs `work` while nobody else holds this lock. */
  readonly withLock: <T>(name: string, work: () => Promise<T>, signal?: AbortSignal) => Promise<T>;
  /** `<state>/boot`: kernels, initramfs; made once per key and shared by all VMs of this state directory. */
  readonly cacheFolder: string;
  /** What was found out about this boot of the machine; cleared by a reboot. */
  readonly runtimeFolder: string;
  /** Where the guest agent for an architecture (`x86_64`, `aarch64`) lies. */
  readonly guestAgentPath: (architecture: string) => string;
  readonly env: Environment;
}

export interface Parts {
  readonly host: Host;
  readonly qemuPath: string;
  readonly guestAgentPath: string;
  /** Best first; the first whose modules are complete is booted. */
  readonly kernels: readonly KernelFile[];
  readonly tools: ConfinementTools;
  readonly mke2fsPath: string | undefined;
}

/** Throws LAUNCHER_UNAVAILABLE or KERNEL_NOT_FOUND. */
export const findParts = async (options: QemuLauncherOptions): Promise<Parts> => {
  const host = describeHost();
  return {
    host,
    qemuPath: findQemu(options.env, host.architecture) ?? fail(missingQemu(host)),
    guestAgentPath: findGuestAgent(options, host.architecture),
    kernels: await listKernels(options, host),
    tools: findTools(options.env),
    mke2fsPath: findProgram(options.env, 'mke2fs', 'mkfs.ext4'),
  };
};

export const findTools = (env: Environment): ConfinementTools => ({
  setpriv: findProgram(env, 'setpriv'),
  prlimit: findProgram(env, 'prlimit'),
  unshare: findProgram(env, 'unshare'),
});

/** AGENT_KERNEL alone where it is set. Throws KERNEL_NOT_FOUND where there is none. */
export const listKernels = async (
  {env, cacheFolder}: QemuLauncherOptions,
  host: Host,
): Promise<KernelFile[]> => {
  const {AGENT_KERNEL: chosen} = env;
  if (chosen !== undefined && chosen !== '') return [await userKernel(chosen)];
  const found = await findKernels(cacheFolder);
  const ranked = rankKernels(found, host.release);
  if (ranked.length === 0) throw kernelNotFound(found.map(whyNot), host);
  return ranked;
};

const whyNot = ({path, readable}: KernelFile): string =>
  readable ? `${path}: its modules are not below /lib/modules` : `${path}: you may not read it`;

export const kernelNotFound = (
  details: readonly string[],
  {architecture}: Pick<Host, 'architecture'>,
): AgentError =>
  new AgentError('KERNEL_NOT_FOUND', 'No kernel to boot guests with was found.', {
    details,
    hints: [
      'let us download one: agent setup',
      `or install one: apt-get install linux-image-cloud-${architecture === 'x86_64' ? 'amd64' : 'arm64'} (Ubuntu: linux-image-virtual)`,
      'or name one: AGENT_KERNEL=/path/to/vmlinuz, its modules beside it or below /lib/modules',
    ],
  });

export const missingQemu = ({architecture, platform}: Pick<Host, 'architecture' | 'platform'>): AgentError =>
  new AgentError('LAUNCHER_UNAVAILABLE', `'${qemuName(architecture)}' is not installed.`, {
    hints: ['run: agent setup', `or install it: ${qemuPackage({architecture, platform})}`],
  });

const qemuPackage = ({architecture, platform}: Pick<Host, 'architecture' | 'platform'>): string => {
  if (platform === 'darwin') return 'brew install qemu';
  return `apt-get install ${architecture === 'x86_64' ? 'qemu-system-x86' : 'qemu-system-arm'}`;
};

/** Names a VM in its VMM's command line, so that no other state directory's VM of that id is mistaken for it. */
export const markerOf = ({cacheFolder}: Pick<QemuLauncherOptions, 'cacheFolder'>, id: string): string => {
  if (!/^[A-Za-z0-9][\w.-]*$/.test(id)) throw new AgentError('INTERNAL', `Not a VM id: '${id}'.`);
  const state = createHash('sha256')
    .update(dirname(resolve(cacheFolder)))
    .digest('hex')
    .slice(0, 12);
  return `agent-${state}-${id}`;
};

const fail = (error: Error): never => {
  throw error;
};
