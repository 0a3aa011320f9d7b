/** The programs that this launcher needs, and whether they are new enough. */
import {readFile, realpath} from 'node:fs/promises';
import type {HostRoot} from '../../containers/host-root.js';
import {AgentError, toAgentError} from '../../model/errors.js';
import {run} from '../../process/run.js';
import type {Environment} from '../common/host.js';
import {explainFailure} from './explain.js';

export interface Version {
  readonly name: string;
  /** As it says itself; null where it does not. */
  readonly found: string | null;
  readonly minimum: string;
}

/** krunvm: the first whose folders work on macOS. libkrun: the first that passes on exit codes. */
const MINIMUM = {krunvm: '0.2.5', libkrun: '1.12.0', buildah: '1.23.0'} as const;

const DEADLINE_MS = 10_000;

export interface Asking {
  /** Runs krunvm or buildah as they must be run here. */
  readonly asRoot: HostRoot['run'];
  readonly program: string;
  /** Of a VM that does not exist: krunvm writes its configuration file even to tell its version. */
  readonly env: Environment;
  readonly signal: AbortSignal;
}

export const askVersions = async (asking: Asking): Promise<readonly Version[]> => [
  await askProgram(asking, 'buildah', 'buildah'),
  await askProgram(asking, 'krunvm', asking.program),
  {name: 'libkrun', found: await libkrunVersion(asking), minimum: MINIMUM.libkrun},
];

const askProgram = async (
  {asRoot, env, signal}: Asking,
  name: 'krunvm' | 'buildah',
  program: string,
): Promise<Version> => {
  const args = [program, '--version'];
  const phase = `asking ${name} for its version`;
  const {stdout} = await asRoot({args, env, signal, phase, timeoutMs: DEADLINE_MS}).catch((thrown) => {
    const error = toAgentError(thrown);
    if (name !== 'krunvm' || error.code !== 'PROCESS_FAILED') throw error;
    throw explainFailure('ask krunvm for its version', error);
  });
  return {name, found: /(\d+\.\d+(?:\.\d+)?)/.exec(stdout)?.[1] ?? null, minimum: MINIMUM[name]};
};

// The library does not tell its version; its file's name does.
const libkrunVersion = async ({env}: Asking): Promise<string | null> => {
  for (const path of await libkrunPaths(env)) {
    const file = await realpath(path).catch(() => '');
    const version = /libkrun\.(?:so\.)?(\d+\.\d+\.\d+)/.exec(file)?.[1];
    if (version !== undefined) return version;
  }
  return null;
};

const libkrunPaths = async (env: Environment): Promise<readonly string[]> => {
  if (process.platform === 'darwin') {
    return ['/opt/homebrew/lib/libkrun.dylib', '/opt/homebrew/lib/libkrun.1.dylib'];
  }
  const {stdout} = await run({
    file: 'ldconfig',
    args: ['-p'],
    env,
    phase: 'looking for libkrun',
    timeoutMs: DEADLINE_MS,
  }).catch(() => ({stdout: ''}));
  return [...stdout.matchAll(/libkrun\.so\.1 .*=> (\S+)/g)].map((match) => match[1] ?? '');
};

export const isOld = ({found, minimum}: Version): boolean =>
  found !== null && compareVersions(found, minimum) < 0;

/** Throws LAUNCHER_UNAVAILABLE for the first that is too old. */
export const requireVersions = (versions: readonly Version[]): void => {
  const old = versions.find(isOld);
  if (old) throw tooOld(old);
};

export const tooOld = ({name, found, minimum}: Version): AgentError =>
  new AgentError('LAUNCHER_UNAVAILABLE', `${name} ${found} is too old: agent needs ${minimum} or later.`, {
    hints: [`install ${name} ${minimum} or later`, 'or make new VMs with: --launcher qemu'],
  });

export const compareVersions = (a: string, b: string): number => {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number));
  for (let at = 0; at < 3; at++) {
    const difference = (left?.[at] ?? 0) - (right?.[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
};

/** Identifies one boot of this machine. */
export const bootIdentity = async (): Promise<string> => {
  if (process.platform === 'linux') return await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
  const {stdout} = await run({
    file: 'sysctl',
    args: ['-n', 'kern.bootsessionuuid'],
    phase: 'asking when this machine was started',
    timeoutMs: DEADLINE_MS,
  });
  return stdout;
};
