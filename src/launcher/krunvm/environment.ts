/** The environment of krunvm and what it runs: the folders of one VM, and of the user's own what these programs know. */
import {join} from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

const KNOWN =
  /^(?:PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TMPDIR|XDG_\w+|CONTAINERS_\w+|STORAGE_\w+|BUILDAH_\w+|REGISTRY_\w+|KRUNVM_\w+|LD_LIBRARY_PATH|DYLD_\w+|HOMEBREW_\w+|RUST_\w+)$/;

/**
 * krunvm keeps all VMs of a user in one file that it rewrites without a lock: each VM gets a file of its own, through
 * the only variable that leads to it. The rest of our environment is kept from the VMM.
 */
export const krunvmEnvironment = (options: {
  readonly platform: 'linux' | 'darwin';
  /** buildah's environment, completed by our settings. */
  readonly containers: Env;
  /** Of this VM. */
  readonly registryFolder: string;
}): Env => {
  const {platform, containers, registryFolder} = options;
  const known = Object.entries(containers).filter(([name]) => KNOWN.test(name));
  const home = platform === 'darwin' ? {HOME: registryFolder} : {XDG_CONFIG_HOME: registryFolder};
  return {...Object.fromEntries(known), ...home};
};

/** Where krunvm looks for its configuration in such an environment. */
export const registryPath = (platform: 'linux' | 'darwin', registryFolder: string): string =>
  platform === 'darwin'
    ? join(registryFolder, 'Library', 'Preferences', 'rs.krunvm', 'krunvm.toml')
    : join(registryFolder, 'krunvm', 'krunvm.toml');
