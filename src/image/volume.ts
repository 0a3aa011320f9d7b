/**
 * The storage of buildah's on the volume that krunvm boots from, on macOS: images stay in it as they were pulled, under
 * their `storageName`. It is the user's too: names and containers in it that are not ours are left as they are.
 */
import {mkdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {prepareContainers, toolEnv, withRuntimeFolder} from '../containers/settings.js';
import {makeTempFolder} from '../containers/temp-folder.js';
import {AgentError} from '../model/errors.js';
import {run} from '../process/run.js';
import type {BuildahStorage, ImageHost} from './image-host.js';
import {requireTools} from './tools.js';
import {reapWorkshops} from './workshop.js';

/** Throws LAUNCHER_UNAVAILABLE where there is no volume, before anything is made. */
export const withVolume = async <T>(
  host: ImageHost,
  {signal}: {readonly signal?: AbortSignal},
  work: (volume: BuildahStorage) => Promise<T>,
): Promise<T> => {
  if (signal?.aborted) throw new AgentError('INTERRUPTED', 'It was interrupted before it began.');
  await requireTools({tools: ['buildah'], env: toolEnv(host.env)});
  const path = await findVolume(host);
  await reapWorkshops(host);
  const scratch = await makeTempFolder(host.containersFolder);
  try {
    return await work(await openVolume({host, path, scratch}));
  } finally {
    await rm(scratch, {recursive: true, force: true});
  }
};

const findVolume = async ({storageVolume}: ImageHost): Promise<string> => {
  if (storageVolume !== null) return await storageVolume();
  throw new AgentError('LAUNCHER_UNAVAILABLE', 'There is no volume for images on this machine.');
};

const openVolume = async (place: {
  readonly host: ImageHost;
  readonly path: string;
  readonly scratch: string;
}): Promise<BuildahStorage> => {
  const {host, path, scratch} = place;
  const tmp = join(scratch, 'tmp');
  await mkdir(tmp, {mode: 0o700});
  const containers = await prepareContainers({
    folder: host.containersFolder,
    env: host.env,
    // The only one that macOS has.
    driver: async () => 'vfs',
  });
  const env = withRuntimeFolder({...containers.env, TMPDIR: tmp}, tmp);
  const flags = volumeFlags(path, env.CONTAINERS_REGISTRIES_CONF ?? '');
  return {
    scratch,
    containers,
    buildah: (args, step) =>
      run({...step, file: 'buildah', args: [...flags, ...args], env, wholeGroup: true}),
  };
};

/** buildah's global flags, as krunvm gives them. On macOS buildah has no /etc/containers to read. */
const volumeFlags = (path: string, registriesPath: string): readonly string[] => [
  `--root=${path}/root`,
  `--runroot=${path}/runroot`,
  `--registries-conf=${registriesPath}`,
];
