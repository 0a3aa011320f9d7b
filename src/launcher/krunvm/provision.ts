/** Makes a VM for krunvm: its root image, its folders, its entry in a registry of its own. */
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {AgentError, toAgentError} from '../../model/errors.js';
import type {LaunchOptions, MachineSpec} from '../launcher.js';
import {containerOf, createArguments, type SharedFolder, storageFlags, vmImage} from './commands.js';
import {type KrunHost, type KrunvmLauncherOptions, runKrunvm} from './krun-host.js';
import {refuseLinks} from './macos-rootfs.js';
import {isRegistered, writeRegistry} from './registry.js';
import {forgetRootImage, prepareRootImage, type RootImageRequest} from './root-image.js';

const CREATE_DEADLINE_MS = 5 * 60_000;
const STEP_DEADLINE_MS = 60_000;

export type ProvisionSpec = Pick<
  MachineSpec,
  'id' | 'folder' | 'persistFolder' | 'cpus' | 'memoryMib' | 'guestVolumes'
> & {
  /** Null: nothing but the guest agent. */
  readonly image: MachineSpec['image'] | null;
};

export interface Provisioning {
  readonly host: KrunHost;
  readonly options: KrunvmLauncherOptions;
  readonly spec: ProvisionSpec;
  readonly launch: LaunchOptions;
}

export const provision = async (work: Provisioning): Promise<void> => {
  const {host, spec, options, launch} = work;
  const {krunvm, registry} = host;
  const {path, folder} = registry(spec.id);
  if (await isRegistered({path, volume: krunvm.volume}, spec.id)) return;
  const folders = await makeSharedFolders(spec);
  await mkdir(folder, {recursive: true, mode: 0o700});
  // On macOS krunvm would ask for its volume and never end.
  if (krunvm.volume !== null) await writeRegistry({path, volume: krunvm.volume}, null);
  const request: RootImageRequest = {host, options, image: spec.image, launch};
  if (krunvm.platform === 'darwin' && spec.image) await refuseLinks(host, spec.image, launch);
  await createFrom(work, {request, folders});
};

/** A root image that was stored half makes krunvm fail: it is made again, once. */
const createFrom = async (
  work: Provisioning,
  {request, folders}: {readonly request: RootImageRequest; readonly folders: readonly SharedFolder[]},
): Promise<void> => {
  const name = await prepareRootImage(request);
  try {
    await create(work, {name, folders});
  } catch (error) {
    if (work.launch.signal.aborted || !mayBeDamaged(work.host, toAgentError(error))) throw error;
    await forgetRootImage(request, name);
    await create(work, {name: await prepareRootImage(request), folders});
  }
};

/** buildah failed, by itself or for krunvm. On macOS the image store has the only copy. */
const mayBeDamaged = ({krunvm}: KrunHost, {code, details}: AgentError): boolean =>
  krunvm.platform === 'linux' &&
  (code === 'PROCESS_FAILED' || details.some((line) => line.includes('buildah returned an error')));

const create = async (
  {host, spec, launch}: Provisioning,
  {name, folders}: {readonly name: string; readonly folders: readonly SharedFolder[]},
): Promise<void> => {
  const {id, cpus, memoryMib} = spec;
  const {signal} = launch;
  await nameAfterVm(host, {id, name, signal});
  await runKrunvm(host, createArguments({id, cpus, memoryMib, folders, image: vmImage(id)}), {
    id,
    doing: 'create the VM',
    timeoutMs: CREATE_DEADLINE_MS,
    signal,
  });
  const {krunvm, registry} = host;
  const {path} = registry(id);
  if (await isRegistered({path, volume: krunvm.volume}, id)) return;
  throw new AgentError('BOOT_FAILED', `'${krunvm.program}' said that it made the VM, and did not.`, {
    details: [`${path} does not name it`],
    hints: ['agent doctor shows what this krunvm is', 'or make new VMs with: --launcher qemu'],
  });
};

// What a create that was killed left would take the container's name.
const nameScript = `set -eu
id_container=$1 name=$2 vm_image=$3
shift 3
buildah "$@" rm "$id_container" >/dev/null 2>&1 || true
buildah "$@" tag "$name" "$vm_image"`;

const nameAfterVm = async (
  host: KrunHost,
  {id, name, signal}: {readonly id: string; readonly name: string; readonly signal: AbortSignal},
): Promise<void> => {
  const flags = storageFlags(host.krunvm);
  const step = {
    args: ['sh', '-c', nameScript, 'sh', containerOf(id), name, vmImage(id), ...flags],
    env: host.registry(id).env,
    phase: 'naming the image after the VM',
    timeoutMs: STEP_DEADLINE_MS,
    signal,
  };
  await host.changeNames(() => host.asRoot(step), signal);
};

/** The folders of the host that the guest sees. `/persist` is always one: krunvm has no disks. */
export const sharedFolders = ({folder, persistFolder, guestVolumes}: ProvisionSpec): SharedFolder[] => [
  ...(guestVolumes
    ? ['in', 'out'].map((name) => ({host: join(folder, 'shared', name), guest: `/${name}`}))
    : []),
  ...(persistFolder === null ? [] : [{host: join(persistFolder, 'shared'), guest: '/persist'}]),
];

export const makeSharedFolders = async (spec: ProvisionSpec): Promise<readonly SharedFolder[]> => {
  const folders = sharedFolders(spec);
  for (const {host} of folders) {
    if (host.includes(':')) throw colonError(host);
    await mkdir(host, {recursive: true, mode: 0o700});
  }
  return folders;
};

const colonError = (path: string): AgentError =>
  new AgentError('STATE_UNUSABLE', `krunvm cannot share '${path}' with a guest: it has a colon.`, {
    hints: ['set AGENT_STATE_DIR to a folder without one'],
  });
