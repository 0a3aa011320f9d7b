/** What buildah is told about this machine: where it stores, which registries it asks, whom it trusts. */
import {randomBytes} from 'node:crypto';
import {mkdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';

export type Env = Readonly<Record<string, string | undefined>>;
export type StorageDriver = 'overlay' | 'vfs';

/** buildah's environment, and the flags for what no variable says. */
export interface Containers {
  readonly folder: string;
  readonly env: Env;
  /** Absolute path: `--signature-policy`. */
  readonly policyPath: string;
}

/**
 * Writes storage.conf, policy.json and registries.conf unless they are there as we would write them, each renamed
 * into place; what the user exported is left to the user. `driver` is asked only where storage.conf is ours to write.
 */
export const prepareContainers = async (options: {
  readonly folder: string;
  readonly env: Env;
  readonly driver: () => Promise<StorageDriver>;
}): Promise<Containers> => {
  const {folder, env, driver} = options;
  await mkdir(folder, {recursive: true, mode: 0o700});
  const paths = containerPaths(folder, env);
  if (!env.CONTAINERS_STORAGE_CONF) {
    const there = await readFile(paths.storage, 'utf8').catch(() => '');
    const known = /^driver = "(overlay|vfs)"$/m.exec(there)?.[1] as StorageDriver | undefined;
    await writeOnce(paths.storage, storageConf({folder, driver: known ?? (await driver())}));
  }
  if (!env.CONTAINERS_REGISTRIES_CONF) await writeOnce(paths.registries, registriesConf);
  if (!env.CONTAINERS_POLICY) await writeOnce(paths.policy, policyJson);
  return {folder, env: containerEnv(folder, env), policyPath: paths.policy};
};

/** The environment for buildah and krunvm: the user's own, completed by our files. */
const containerEnv = (folder: string, env: Env): Env => {
  const paths = containerPaths(folder, env);
  return {
    ...toolEnv(env),
    CONTAINERS_STORAGE_CONF: paths.storage,
    CONTAINERS_REGISTRIES_CONF: paths.registries,
    CONTAINERS_POLICY: paths.policy,
    // krunvm 0.2.6 and older do not read it.
    KRUNVM_DATA_DIR: env.KRUNVM_DATA_DIR || join(folder, 'krunvm'),
  };
};

/** For any host program: messages in English, and the administrator's folders, which a user's PATH may lack. */
export const toolEnv = (env: Env): Env => ({
  ...env,
  PATH: `${env.PATH || '/usr/local/bin:/usr/bin:/bin'}:/usr/local/sbin:/usr/sbin:/sbin${HOMEBREW}`,
  LC_ALL: 'C.UTF-8',
});

// krunvm on a Mac asks Homebrew where libkrun is.
const HOMEBREW = process.platform === 'darwin' ? ':/opt/homebrew/bin' : '';

/** buildah keeps notes in the user's runtime folder, and invents one in /var/tmp for a user without: `folder` instead. */
export const withRuntimeFolder = (env: Env, folder: string): Env => ({
  ...env,
  XDG_RUNTIME_DIR: env.XDG_RUNTIME_DIR || folder,
});

const containerPaths = (folder: string, env: Env) => ({
  storage: env.CONTAINERS_STORAGE_CONF || join(folder, 'storage.conf'),
  registries: env.CONTAINERS_REGISTRIES_CONF || join(folder, 'registries.conf'),
  policy: env.CONTAINERS_POLICY || join(folder, 'policy.json'),
});

const storageConf = (options: {folder: string; driver: StorageDriver}): string => `[storage]
driver = "${options.driver}"
graphroot = ${JSON.stringify(join(options.folder, 'storage'))}
runroot = ${JSON.stringify(join(options.folder, 'run'))}
rootless_storage_path = ${JSON.stringify(join(options.folder, 'storage'))}

[storage.options.overlay]
skip_mount_home = "true"
`;

const registriesConf = `unqualified-search-registries = ["docker.io"]
short-name-mode = "disabled"
${['localhost', '127.0.0.1', '[::1]'].map((host) => `\n[[registry]]\nprefix = "${host}"\nlocation = "${host}"\ninsecure = true\n`).join('')}`;

// No signatures are checked: docs/security.md says so. Digests are.
const policyJson = `${JSON.stringify({default: [{type: 'insecureAcceptAnything'}]}, null, 2)}\n`;

const writeOnce = async (path: string, content: string): Promise<void> => {
  if ((await readFile(path, 'utf8').catch(() => undefined)) === content) return;
  const fresh = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(fresh, content, {mode: 0o600, flag: 'wx'});
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, {force: true});
    throw error;
  }
};
