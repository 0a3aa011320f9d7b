/** Removes a VM from krunvm and from buildah's storage, however much of it was made, and images that nobody needs. */
import {existsSync} from 'node:fs';
import {rm} from 'node:fs/promises';
import {AgentError, toAgentError} from '../../model/errors.js';
import {endVmms} from '../common/end-vmms.js';
import type {LaunchOptions} from '../launcher.js';
import {containerOf, deleteArguments, isVmmOf, storageFlags, vmImage} from './commands.js';
import {type KrunHost, runKrunvm} from './krun-host.js';
import {isRegistered} from './registry.js';

const DELETE_DEADLINE_MS = 2 * 60_000;

export const removeVm = async (host: KrunHost, id: string, {signal}: LaunchOptions): Promise<void> => {
  const {krunvm, registry} = host;
  const {folder, path} = registry(id);
  await endVmms(isVmmOf(id));
  if (await isRegistered({path, volume: krunvm.volume}, id)) {
    const doing = 'delete the VM';
    await runKrunvm(host, deleteArguments(id), {id, doing, timeoutMs: DELETE_DEADLINE_MS, signal}).catch(
      () => {}, // what it left is removed, or told of, below
    );
  }
  await removeRest(host, id, signal);
  await rm(folder, {recursive: true, force: true});
};

/**
 * What krunvm did not know of, because it was killed while it made the VM, or could not delete. Mounts that a
 * `krunvm start` by hand has left are in the way, and are ours to undo: they lie below our container's root.
 */
const restScript = `set -eu
container=$1
shift
if buildah "$@" inspect --type=container "$container" >/dev/null 2>&1; then
  root=$(buildah "$@" mount "$container" 2>/dev/null || true)
  if [ -n "$root" ]; then
    for name in in out persist; do umount "$root/$name" 2>/dev/null || true; done
    buildah "$@" umount "$container" >/dev/null 2>&1 || true
  fi
  buildah "$@" rm "$container" >/dev/null
fi`;

const nameScript = `set -eu
image=$1
shift
if buildah "$@" inspect --type=image "$image" >/dev/null 2>&1; then buildah "$@" rmi "$image" >/dev/null; fi`;

const removeRest = async (host: KrunHost, id: string, signal: AbortSignal): Promise<void> => {
  const flags = storageFlags(host.krunvm);
  const step = {
    env: host.registry(id).env,
    phase: 'removing the VM from the containers storage',
    timeoutMs: DELETE_DEADLINE_MS,
    signal,
  };
  try {
    await host.asRoot({...step, args: ['sh', '-c', restScript, 'sh', containerOf(id), ...flags]});
    const args = ['sh', '-c', nameScript, 'sh', vmImage(id), ...flags];
    await host.changeNames(() => host.asRoot({...step, args}), signal);
  } catch (thrown) {
    const error = toAgentError(thrown);
    if (error.code !== 'PROCESS_FAILED') throw error;
    throw new AgentError('VM_FAILED', `VM '${id}' cannot be removed from the containers storage.`, {
      details: error.details,
      hints: [`try again: agent vm clean --vm ${id}`],
      cause: error,
    });
  }
};

/** Our copies of images, but those of these digests. One that a VM still uses loses its name only. */
export const forgetImages = async (
  host: KrunHost,
  {except, signal}: LaunchOptions & {readonly except: readonly string[]},
): Promise<void> => {
  // On macOS there are no copies: the image store itself removes them.
  if (host.krunvm.platform === 'darwin' || !existsSync(host.containers.folder)) return;
  const {env} = host;
  const step = {env, signal, timeoutMs: DELETE_DEADLINE_MS};
  const {stdout} = await host.asRoot({
    ...step,
    args: ['buildah', 'images', '--format={{.Name}}:{{.Tag}}', '--noheading'],
    phase: 'listing images',
  });
  const kept = new Set(except.map((digest) => digest.replace('sha256:', '')));
  const stale = [...stdout.matchAll(/^localhost\/agent\/image:([0-9a-f]{64})$/gm)]
    .filter(([, digest = '']) => !kept.has(digest))
    .map(([name]) => name);
  for (const name of stale) {
    const removal = {...step, args: ['buildah', 'rmi', name], phase: 'removing an image'};
    await host.changeNames(() => host.asRoot(removal), signal);
  }
};
