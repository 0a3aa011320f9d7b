/** Which storage driver buildah can use here. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {createHostRoot} from './host-root.js';
import {removeTree} from './remove-tree.js';
import {type Containers, type Env, type StorageDriver, toolEnv, withRuntimeFolder} from './settings.js';
import {makeTempFolder} from './temp-folder.js';

/**
 * Tries overlay in a scratch folder under `folder`, on whose file system it depends, and removes the scratch folder.
 * overlay shares layers and costs nothing per container; vfs works everywhere.
 */
export const chooseDriver = async (options: {
  readonly isRoot: boolean;
  readonly folder: string;
  readonly env: Env;
}): Promise<StorageDriver> => {
  const root = createHostRoot(options);
  const scratch = await makeTempFolder(options.folder);
  const env = withRuntimeFolder(toolEnv(options.env), scratch);
  try {
    await root.run({
      args: ['sh', '-c', tryScript, 'sh', ...storageFlags(scratch, 'overlay')],
      env: {...env, CONTAINERS_STORAGE_CONF: '/dev/null', TMPDIR: scratch},
      phase: 'trying the overlay storage driver',
      timeoutMs: 20_000,
    });
    return 'overlay';
  } catch {
    return 'vfs'; // if buildah itself is broken, the next step says so
  } finally {
    await removeTree({root, folder: scratch, env});
  }
};

// The mount ends with its namespace.
const tryScript = 'set -eu; buildah "$@" from --name probe scratch; buildah "$@" mount probe';

/** The driver that these settings name. */
export const driverOf = async (containers: Containers): Promise<StorageDriver> => {
  const conf = await readFile(containers.env.CONTAINERS_STORAGE_CONF ?? '', 'utf8').catch(() => '');
  return /^\s*driver\s*=\s*"vfs"/m.test(conf) ? 'vfs' : 'overlay';
};

/** buildah's global flags for a storage of its own in `folder`. */
export const storageFlags = (folder: string, driver: StorageDriver): readonly string[] => [
  `--root=${join(folder, 'storage')}`,
  `--runroot=${join(folder, 'run')}`,
  `--storage-driver=${driver}`,
];
