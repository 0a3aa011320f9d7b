/** Builds what the services need of this process and this machine; the only place where all parts meet. */
import {randomBytes} from 'node:crypto';
import {fileURLToPath} from 'node:url';
import {createImageStore} from './image/create-image-store.js';
import type {Launcher} from './launcher/launcher.js';
import {createLazyLauncher} from './lazy-launcher.js';
import type {LauncherName} from './model/launcher-name.js';
import type {Progress} from './model/progress.js';
import {parseTemplateMode} from './model/template-mode.js';
import type {ProcessRef} from './model/vm-record.js';
import {createMonitors} from './monitor/create-monitors.js';
import {identifyProcess, isAlive} from './process/identity.js';
import {withLock} from './state/lock.js';
import {type Host, resolveStatePaths, type StatePaths} from './state/state-paths.js';
import {isThere, openStore, openStoreToRead, type VmStore} from './state/vm-store.js';
import {createTemplateUse} from './template-maker/create-template-use.js';
import type {VmContext} from './vm/vm-context.js';

interface ContextOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly progress: Progress;
  readonly notice?: (text: string) => void;
  readonly signal: AbortSignal;
}

const LOCK_DEADLINE_MS = 30 * 60_000;

export const createContext = ({env, progress, notice = () => {}, signal}: ContextOptions): VmContext => {
  const host: Host = {env, uid: process.getuid?.() ?? 0};
  const paths = resolveStatePaths(host);
  const self = identifyProcess(process.pid) ?? {pid: process.pid, startedAt: ''};
  const store = once(() => openStore(paths.database, host.uid));
  const inLock = <T>(name: string, work: () => Promise<T>, waiting = signal): Promise<T> =>
    lockIn(store(), {name, self, progress, signal: waiting}, work);
  const krunvmOptions = {
    ...launcherOptions(paths, env),
    registriesFolder: paths.krunvm,
    containersFolder: paths.containers,
    withLock: inLock,
  };
  const qemuOptions = {
    ...launcherOptions(paths, env),
    cacheFolder: paths.boot,
    templatesFolder: paths.templates,
    withLock: inLock,
  };
  const launchers: Readonly<Record<LauncherName, Launcher>> = {
    krunvm: createLazyLauncher('krunvm', async () =>
      (await importKrunvm()).createKrunvmLauncher(krunvmOptions),
    ),
    qemu: createLazyLauncher('qemu', async () => (await importQemu()).createQemuLauncher(qemuOptions)),
  };
  return {
    env,
    uid: host.uid,
    paths,
    self,
    isAlive,
    progress,
    notice,
    signal,
    store,
    storeIfAny: () => (isThere(paths.database) ? store() : undefined),
    storeToRead: () => openStoreToRead(paths.database, host.uid),
    launcher: (name) => launchers[name],
    templates: createTemplateUse({
      mode: parseTemplateMode(env.AGENT_TEMPLATES),
      launcher: (name) => launchers[name],
      stateFolder: paths.root,
      runtimeFolder: paths.runtime,
      templatesFolder: paths.templates,
      self,
      command: programCommand('template-main'),
      env: {...env, AGENT_STATE_DIR: paths.root},
    }),
    monitors: createMonitors({
      stateFolder: paths.root,
      runtimeFolder: paths.runtime,
      uid: host.uid,
      command: programCommand('monitor-main', SMALL),
      // It may have been given relative to our working directory.
      env: {...env, AGENT_STATE_DIR: paths.root},
    }),
    images: createImageStore({
      imagesFolder: paths.images,
      containersFolder: paths.containers,
      env,
      withLock: inLock,
      storageVolume:
        process.platform === 'darwin' ? async () => (await importKrunvm()).findVolume(env) : null,
    }),
    now: () => new Date(),
    randomId,
  };
};

// Only when a VM is made, booted or removed: most commands need neither.
const importKrunvm = () => import('./launcher/krunvm/krunvm-launcher.js');
const importQemu = () => import('./launcher/qemu/qemu-launcher.js');

const launcherOptions = (paths: StatePaths, env: ContextOptions['env']) => ({
  runtimeFolder: paths.runtime,
  guestAgentPath,
  env,
});

/** The guest agent that the build made, or that the package brought. */
export const guestAgentPath = (architecture: string): string =>
  fileURLToPath(new URL(`../dist/guest/agent-${architecture}`, import.meta.url));

/** Passing frames on takes little computing: without the optimizing compiler Node stays smaller. It calls for its own garbage collection. */
const SMALL = ['--max-semi-space-size=1', '--no-opt', '--expose-gc'];

/** A program beside main.ts, as it was built, or from its source where we run from that. */
const programCommand = (name: string, nodeFlags: readonly string[] = []): [string, ...string[]] => {
  const isSource = import.meta.url.endsWith('.ts');
  const program = new URL(isSource ? `./${name}.ts` : `../dist/${name}.js`, import.meta.url);
  const loader = isSource ? ['--import', 'tsx'] : [];
  return [process.execPath, ...nodeFlags, ...loader, fileURLToPath(program)];
};

const lockIn = <T>(
  {database}: VmStore,
  {name, self, progress, signal}: {name: string; self: ProcessRef; progress: Progress; signal: AbortSignal},
  work: () => Promise<T>,
): Promise<T> => {
  const onWait = (holder: ProcessRef): void =>
    progress.step(`waiting for process ${holder.pid} to finish with ${name}`);
  return withLock({database, name, self, isAlive, timeoutMs: LOCK_DEADLINE_MS, signal, onWait}, work);
};

// Crockford's alphabet without the letters that look like digits.
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

const randomId = (): string => [...randomBytes(8)].map((byte) => ALPHABET[byte & 31]).join('');

const once = <T>(make: () => T): (() => T) => {
  let made: {readonly value: T} | undefined;
  return () => {
    made ??= {value: make()};
    return made.value;
  };
};
