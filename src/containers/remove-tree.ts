import {rm} from 'node:fs/promises';
import type {HostRoot} from './host-root.js';
import {type Env, withRuntimeFolder} from './settings.js';

/** Removes a folder of ours. Files in a user namespace belong to other ids: only root over them can remove those. */
export const removeTree = async (options: {
  /** Null where there are no user namespaces: on macOS. */
  readonly root: HostRoot | null;
  readonly folder: string;
  readonly env: Env;
}): Promise<void> => {
  const {root, folder, env} = options;
  try {
    await rm(folder, {recursive: true, force: true});
  } catch (error) {
    if (root === null) throw error;
    await root.run({
      args: ['rm', '-rf', '--', folder],
      env: withRuntimeFolder(env, folder),
      phase: `removing ${folder}`,
      timeoutMs: 120_000,
    });
  }
};
