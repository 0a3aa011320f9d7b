/** What krunvm and buildah have on this machine for a state directory, and both run by hand with its settings. */
import {execFileSync, type SpawnSyncReturns, spawn, spawnSync} from 'node:child_process';
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {StateFolder} from '../support/agent.js';
import {type Begun, watch} from './krunvm-process.js';

interface Place {
  readonly state: Pick<StateFolder, 'path'>;
  readonly environment: () => NodeJS.ProcessEnv;
}

/** As for a VM of ours, but in no namespace of ours. */
const handEnvironment = ({state, environment}: Place, id: string): NodeJS.ProcessEnv => ({
  ...process.env,
  ...environment(),
  XDG_CONFIG_HOME: join(state.path, 'krunvm', id),
  CONTAINERS_STORAGE_CONF: join(state.path, 'containers', 'storage.conf'),
  CONTAINERS_POLICY: join(state.path, 'containers', 'policy.json'),
  CONTAINERS_REGISTRIES_CONF: join(state.path, 'containers', 'registries.conf'),
});

export const isRoot = process.getuid?.() === 0;
/** Both need root over the images' files. An ordinary user's mounts end with such a command. */
const asRoot = isRoot ? [] : ['buildah', 'unshare', '--'];

/** `krunvm ARGS` to its end, with what that VM's own file says. */
export const krunvmByHand = (place: Place, id: string, args: readonly string[]): SpawnSyncReturns<string> => {
  // The shell turns the end by a signal into an exit code.
  const [file = '', ...rest] = [...asRoot, 'sh', '-c', '"$@"; exit $?', 'sh', 'krunvm', ...args];
  return spawnSync(file, rest, {
    env: handEnvironment(place, id),
    encoding: 'utf8',
    input: '',
    timeout: 60_000,
  });
};

/** `krunvm start ID ARGS`, running. */
export const startByHand = (place: Place, id: string, args: readonly string[]): Begun => {
  const [file = '', ...rest] = [...asRoot, 'krunvm', 'start', id, ...args];
  return watch(spawn(file, rest, {env: handEnvironment(place, id), stdio: 'pipe'}));
};

/** A shell script that may call buildah. */
export const scriptByHand = (place: Place, script: string, args: readonly string[] = []): string => {
  const [file = '', ...rest] = [...asRoot, 'sh', '-euc', script, 'sh', ...args];
  return execFileSync(file, rest, {env: handEnvironment(place, 'none'), encoding: 'utf8', stdio: 'pipe'});
};

export const buildahByHand = (place: Place, args: readonly string[]): string =>
  scriptByHand(place, 'exec buildah "$@"', args);

export const containerOf = (id: string): string => `${id}-working-container`;

export const registryFile = ({state}: Pick<Place, 'state'>, id: string): string =>
  join(state.path, 'krunvm', id, 'krunvm', 'krunvm.toml');

interface Leftovers {
  readonly processes: readonly string[];
  /** Mount points. */
  readonly mounts: readonly string[];
  readonly containers: readonly string[];
  /** Names of images that are a VM's; those that VMs are made from may stay. */
  readonly images: readonly string[];
  /** Files below `krunvm`, `vms` and `persist`. */
  readonly files: readonly string[];
}

export const nothing: Leftovers = {processes: [], mounts: [], containers: [], images: [], files: []};

export const leftoversOf = ({path}: Pick<StateFolder, 'path'>): Leftovers => ({
  processes: processesOf({path}).map(({pid, line}) => `${pid} ${line}`),
  mounts: mountsBelow(path),
  containers: storedIn(path, 'containers').flatMap(({names}) => names ?? []),
  images: storedIn(path, 'images').flatMap(({names}) => names?.filter((name) => /agent-vm/.test(name)) ?? []),
  files: ['krunvm', 'vms', 'persist'].flatMap((folder) =>
    namesIn(join(path, folder)).filter((name) => name !== 'none'),
  ),
});

interface Stored {
  readonly names?: readonly string[];
  readonly layer: string;
}

/** What buildah's storage lists, of either driver. */
export const storedIn = (path: string, kind: 'containers' | 'images'): readonly Stored[] =>
  ['overlay', 'vfs'].flatMap((driver) => {
    const file = join(path, 'containers', 'storage', `${driver}-${kind}`, `${kind}.json`);
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Stored[]) : [];
  });

export const mountsBelow = (path: string): string[] =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[1] ?? [])
    .filter((point) => point.startsWith(`${path}/`));

/** Ends and undoes whatever a test has left, and removes the folder. */
export const removeFolder = (path: string): void => {
  for (const {pid} of processesOf({path})) spawnSync('kill', ['-KILL', String(pid)]); // it may end meanwhile
  // Lazily: what is mounted in a guest's root lies in what is mounted there.
  for (const point of mountsBelow(path).reverse()) execFileSync('umount', ['--lazy', point]);
  const [file = '', ...args] = [...asRoot, 'rm', '-rf', '--', path];
  execFileSync(file, args);
};

interface Seen {
  readonly pid: number;
  readonly line: string;
}

/** Whatever names the state directory in its environment. */
export const processesOf = ({path}: Pick<StateFolder, 'path'>): Seen[] =>
  namesIn('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => new RegExp(`=${path}[/\\0]`).test(procFile(pid, 'environ')))
    .map((pid) => ({pid: Number(pid), line: procFile(pid, 'cmdline').replaceAll('\0', ' ').slice(0, 200)}));

/** The double itself, with this command. */
export const doublesOf = (state: StateFolder, command: 'create' | 'start'): number[] =>
  processesOf(state)
    .filter(({line}) => line.includes(`krunvm-double/main.mjs ${command} `))
    .map(({pid}) => pid);

export const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return []; // not made, or gone
  }
};

const procFile = (pid: string, name: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return ''; // it has ended
  }
};
