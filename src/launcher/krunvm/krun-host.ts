/** krunvm on this machine: its program, its storage, its settings, and how it is run. */
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {createHostRoot, type HostRoot} from '../../containers/host-root.js';
import {type Containers, prepareContainers, withRuntimeFolder} from '../../containers/settings.js';
import {chooseDriver} from '../../containers/storage-driver.js';
import {AgentError, toAgentError} from '../../model/errors.js';
import {type RunOptions, run} from '../../process/run.js';
import {type Environment, findProgram} from '../common/host.js';
import type {Krunvm} from './commands.js';
import {krunvmEnvironment, registryPath} from './environment.js';
import {explainFailure} from './explain.js';
import {findVolume} from './volume.js';

export interface KrunvmLauncherOptions {
  /** `<state>/krunvm`: a folder per VM for krunvm's own file. */
  readonly registriesFolder: string;
  /** Settings and storage of buildah. */
  readonly containersFolder: string;
  /** What was found out about this boot of the machine. */
  readonly runtimeFolder: string;
  /** Where the guest agent for an architecture (`x86_64`, `aarch64`) lies. */
  readonly guestAgentPath: (architecture: string) => string;
  readonly env: Environment;
  /** Runs `work` while no other process does so under the same name. The wait ends with `signal`, or the command's own. */
  readonly withLock: <T>(name: string, work: () => Promise<T>, signal?: AbortSignal) => Promise<T>;
}

export interface KrunHost {
  readonly krunvm: Krunvm;
  readonly containers: Containers;
  /** Runs a program with root over the images' files: krunvm and buildah need it. */
  readonly asRoot: HostRoot['run'];
  /** Changes names of images: buildah writes all names of one together, and loses what others write meanwhile. */
  readonly changeNames: <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;
  /** For what concerns no VM. */
  readonly env: Environment;
  /** Of one VM. */
  readonly registry: (id: string) => {
    readonly folder: string;
    readonly path: string;
    readonly env: Environment;
  };
}

/** Throws LAUNCHER_UNAVAILABLE where krunvm, or what it needs, is not installed or not set up. Makes nothing. */
export const findKrunvm = async (env: Environment): Promise<Krunvm> => {
  const platform = platformHere();
  const program = findProgram(env, 'krunvm');
  if (program === undefined) throw missing('krunvm', howToInstall(platform));
  return await describeKrunvm(env, program);
};

const platformHere = (): Krunvm['platform'] => (process.platform === 'darwin' ? 'darwin' : 'linux');

const describeKrunvm = async (env: Environment, program: string): Promise<Krunvm> => {
  const platform = platformHere();
  const needed = platform === 'darwin' ? ['buildah'] : ['buildah', 'unshare', 'setpriv', 'fsck.erofs'];
  for (const name of needed) {
    if (findProgram(env, name) === undefined) throw missing(name, ['run: agent setup']);
  }
  const volume = platform === 'darwin' ? await findVolume(env) : null;
  return {platform, isRoot: process.getuid?.() === 0, program, volume};
};

const howToInstall = (platform: Krunvm['platform']): readonly string[] =>
  platform === 'darwin'
    ? ['run: agent setup', 'or install it: brew install libkrun/krun/krunvm']
    : [
        'install krunvm 0.2.5 or later, where your distribution has it',
        'or make new VMs with: --launcher qemu',
      ];

const missing = (name: string, hints: readonly string[]): AgentError =>
  new AgentError('LAUNCHER_UNAVAILABLE', `'${name}' is not installed.`, {hints});

/** Writes buildah's settings where they are not there yet. */
export const prepareKrunHost = async (options: KrunvmLauncherOptions): Promise<KrunHost> =>
  await hostOf(options, await findKrunvm(options.env));

/** The same without krunvm itself: what is left of VMs can be removed when it is not installed any more. */
export const prepareToRemove = async (options: KrunvmLauncherOptions): Promise<KrunHost> =>
  await hostOf(options, await describeKrunvm(options.env, findProgram(options.env, 'krunvm') ?? 'krunvm'));

const hostOf = async (options: KrunvmLauncherOptions, krunvm: Krunvm): Promise<KrunHost> => {
  const {env, containersFolder: folder, registriesFolder} = options;
  const {isRoot, platform} = krunvm;
  const driver = async () =>
    platform === 'darwin' ? ('vfs' as const) : await chooseDriver({isRoot, folder, env});
  const containers = await prepareContainers({folder, env, driver});
  const runtime = await makeRuntimeFolder(options);
  const registry: KrunHost['registry'] = (id) => {
    const registryFolder = join(registriesFolder, id);
    const base = withRuntimeFolder(containers.env, runtime);
    return {
      folder: registryFolder,
      path: registryPath(platform, registryFolder),
      env: krunvmEnvironment({platform, containers: base, registryFolder}),
    };
  };
  return {
    krunvm,
    containers,
    registry,
    env: registry('none').env,
    asRoot: asRoot(krunvm),
    changeNames: async (work, signal) => await options.withLock("krunvm's names of images", work, signal),
  };
};

/** For buildah's notes. */
export const makeRuntimeFolder = async ({
  containersFolder,
}: Pick<KrunvmLauncherOptions, 'containersFolder'>): Promise<string> => {
  const runtime = join(containersFolder, 'runtime');
  await mkdir(runtime, {recursive: true, mode: 0o700});
  return runtime;
};

const asRoot = ({platform, isRoot}: Krunvm): HostRoot['run'] => {
  if (platform === 'linux') return createHostRoot({isRoot}).run;
  return async ({args: [file = '', ...args], ...rest}) => await run({...rest, file, args, wholeGroup: true});
};

export type KrunvmStep = Pick<RunOptions, 'timeoutMs' | 'signal'> & {
  readonly id: string;
  /** For errors: `create the VM`. */
  readonly doing: string;
};

/** `krunvm ARGS` for one VM, to its end. Throws what krunvm means by its words. */
export const runKrunvm = async (
  {krunvm, registry, asRoot: runAsRoot}: KrunHost,
  args: readonly string[],
  {id, doing, ...step}: KrunvmStep,
): Promise<void> => {
  const {env} = registry(id);
  const phase = `krunvm ${args[0] ?? ''}`;
  try {
    await runAsRoot({args: [krunvm.program, ...args], env, phase, saysErrorsOnStdout: true, ...step});
  } catch (thrown) {
    const error = toAgentError(thrown);
    if (error.code !== 'PROCESS_FAILED') throw error;
    throw explainFailure(doing, error);
  }
};
