/**
 * Where images are made: a temp folder beside the images for the result, and one beside buildah's files with a storage
 * of its own. Both go afterwards, so buildah's storage never grows; what a killed process leaves is one of these two.
 */
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {checkHostRoot, createHostRoot, type HostRoot} from '../containers/host-root.js';
import {removeTree} from '../containers/remove-tree.js';
import {
  type Containers,
  type Env,
  prepareContainers,
  toolEnv,
  withRuntimeFolder,
} from '../containers/settings.js';
import {chooseDriver, driverOf, storageFlags} from '../containers/storage-driver.js';
import {deadTempFolders, makeTempFolder} from '../containers/temp-folder.js';
import {AgentError} from '../model/errors.js';
import type {RunResult} from '../process/run.js';
import type {BuildahStorage, ImageHost, Step} from './image-host.js';
import {requireTools} from './tools.js';

export interface Workshop extends BuildahStorage {
  /** In the images folder: becomes the image's folder. */
  readonly folder: string;
  /** Mounts a working container and runs `command` with its root folder as last argument. */
  readonly inContainer: (options: {
    container: string;
    command: readonly string[];
    step: Step;
    env?: Env;
  }) => Promise<RunResult>;
  /** Any program as root over the images' files. */
  readonly asRoot: (args: readonly string[], step: Step, env?: Env) => Promise<RunResult>;
}

/** Opens a workshop for `work` and clears it away, however that ends. */
export const withWorkshop = async <T>(
  host: ImageHost,
  options: {readonly tools: readonly string[]; readonly signal: AbortSignal},
  work: (workshop: Workshop) => Promise<T>,
): Promise<T> => {
  if (options.signal.aborted) throw new AgentError('INTERRUPTED', 'It was interrupted before it began.');
  const env = toolEnv(host.env);
  await requireTools({tools: options.tools, env});
  await reapWorkshops(host);
  const root = createHostRoot(host);
  const scratch = await makeTempFolder(host.containersFolder);
  try {
    await checkHostRoot({...host, env: withRuntimeFolder(env, scratch)});
    const containers = await prepareContainers({
      folder: host.containersFolder,
      env: host.env,
      driver: () => chooseDriver({isRoot: host.isRoot, folder: scratch, env: host.env}),
    });
    const folder = await makeTempFolder(host.imagesFolder);
    try {
      return await work(await openWorkshop({root, folder, scratch, containers}));
    } finally {
      await removeTree({root, folder, env});
    }
  } finally {
    await removeTree({root, folder: scratch, env});
  }
};

/** Removes the temp folders of processes that are gone. */
export const reapWorkshops = async (host: ImageHost): Promise<void> => {
  const root = host.storageVolume === null ? createHostRoot(host) : null;
  const dead = [
    ...(await deadTempFolders(host.imagesFolder)),
    ...(await deadTempFolders(host.containersFolder)),
  ];
  for (const folder of dead) await removeTree({root, folder, env: toolEnv(host.env)});
};

const openWorkshop = async (parts: {
  root: HostRoot;
  folder: string;
  scratch: string;
  containers: Containers;
}): Promise<Workshop> => {
  const {root, folder, scratch, containers} = parts;
  const tmp = join(scratch, 'tmp');
  await mkdir(tmp, {mode: 0o700});
  const env = withRuntimeFolder({...containers.env, TMPDIR: tmp}, tmp);
  const flags = storageFlags(scratch, await driverOf(containers));
  const asRoot: Workshop['asRoot'] = (args, step, more) => root.run({...step, args, env: {...env, ...more}});
  return {
    folder,
    scratch,
    containers,
    asRoot,
    buildah: (args, step) => asRoot(['buildah', ...flags, ...args], step),
    inContainer: ({container, command, step, env: more}) =>
      asRoot(['sh', '-c', mountScript, 'sh', ...flags, container, ...command], step, more),
  };
};

// Everything comes as an argument, nothing is pasted into the script. The mount ends with its namespace.
const mountScript = 'set -eu; root=$(buildah "$1" "$2" "$3" mount "$4"); shift 4; exec "$@" "$root"';
