/** Makes krunvm know a VM again that its registry has lost: the record says what it was, and buildah still has it. */
import {rm} from 'node:fs/promises';
import {type AgentError, toAgentError} from '../../model/errors.js';
import {containerOf, storageFlags} from './commands.js';
import type {KrunHost} from './krun-host.js';
import {type Provisioning, provision, sharedFolders} from './provision.js';
import {isRegistered, writeRegistry} from './registry.js';

const DEADLINE_MS = 60_000;

/** Files in the VM are kept as long as its container is there; without that it is made anew, and says so. */
export const ensureRegistered = async (work: Provisioning): Promise<void> => {
  const {host, spec, launch} = work;
  const {id, cpus, memoryMib} = spec;
  const {volume} = host.krunvm;
  const {path} = host.registry(id);
  if (await isRegistered({path, volume}, id)) return;
  if (await hasContainer(host, id, launch.signal)) {
    launch.progress.detail(`krunvm has lost ${id}: it is registered again`);
    const folders = sharedFolders(spec);
    await writeRegistry({path, volume}, {id, cpus, memoryMib, folders, container: containerOf(id)});
    return;
  }
  launch.progress.step(`krunvm has lost ${id} and its files: it is made again`);
  await provision(work);
};

/** Boots it with `start`; one that buildah turns out to have lost is made anew, and started again. */
export const startOrMakeAgain = async <T>(work: Provisioning, start: () => Promise<T>): Promise<T> => {
  try {
    return await start();
  } catch (error) {
    const {code, details} = toAgentError(error);
    if (code !== 'BOOT_FAILED' || !/build container .*not known/.test(details.join(' '))) throw error;
  }
  await rm(work.host.registry(work.spec.id).path, {force: true});
  await ensureRegistered(work);
  return await start();
};

const hasContainer = async (host: KrunHost, id: string, signal: AbortSignal): Promise<boolean> => {
  try {
    await host.asRoot({
      args: ['buildah', ...storageFlags(host.krunvm), 'inspect', '--type=container', containerOf(id)],
      env: host.registry(id).env,
      phase: 'looking for the VM',
      timeoutMs: DEADLINE_MS,
      signal,
    });
    return true;
  } catch (thrown) {
    const error = toAgentError(thrown);
    if (isAbsent(error)) return false;
    throw error;
  }
};

const isAbsent = ({code, details}: AgentError): boolean =>
  code === 'PROCESS_FAILED' && /not known|does not exist|no such/i.test(details.join(' '));
