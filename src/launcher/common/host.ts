/** What the planning functions need to know of this machine; gathered once per launcher. */
import {accessSync, constants, readFileSync, realpathSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {AgentError} from '../../model/errors.js';

export type Architecture = 'x86_64' | 'aarch64';

export interface Host {
  readonly platform: 'linux' | 'darwin';
  readonly architecture: Architecture;
  readonly uid: number;
  /** Effective capabilities as a bit mask; 0 where the system has none. */
  readonly capabilities: bigint;
  /** User ids that exist in our user namespace. */
  readonly uidRanges: readonly {readonly first: number; readonly count: number}[];
  /** False in user namespaces that forbid setgroups(2). */
  readonly maySetGroups: boolean;
  /** Identifies one boot of this machine. */
  readonly bootId: string;
  readonly release: string;
}

export const describeHost = (): Host => {
  const {platform} = process;
  if (platform !== 'linux' && platform !== 'darwin') throw unsupported(platform);
  return {
    platform,
    architecture: architectureOf(process.arch),
    uid: process.getuid?.() ?? 0,
    capabilities: BigInt(`0x${/CapEff:\s*([0-9a-f]+)/.exec(readText('/proc/self/status'))?.[1] ?? '0'}`),
    uidRanges: parseUidMap(readText('/proc/self/uid_map')),
    maySetGroups: readText('/proc/self/setgroups').trim() !== 'deny',
    bootId: readText('/proc/sys/kernel/random/boot_id').trim(),
    release: readText('/proc/sys/kernel/osrelease').trim(),
  };
};

/** Node's name of an architecture, or QEMU's own, as QEMU's. */
export const architectureOf = (name: string): Architecture => {
  if (name === 'x64' || name === 'x86_64' || name === 'amd64') return 'x86_64';
  if (name === 'arm64' || name === 'aarch64') return 'aarch64';
  throw unsupported(name);
};

/** user_namespaces(7): `first-inside first-outside count` a line. */
const parseUidMap = (text: string): {first: number; count: number}[] =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([first, , count]) => ({first: first ?? 0, count: count ?? 0}));

export type Environment = Readonly<Record<string, string | undefined>>;

// Where users' PATH often does not lead: the system's tools, and Homebrew's e2fsprogs.
const MORE_FOLDERS = [
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
  '/usr/bin',
  '/opt/homebrew/bin',
  '/opt/homebrew/opt/e2fsprogs/sbin',
  '/usr/local/opt/e2fsprogs/sbin',
];

/** Absolute path of the first of these programs that is installed. */
export const findProgram = (env: Environment, ...names: readonly string[]): string | undefined => {
  const folders = [
    ...(env.PATH ?? '').split(':').filter((folder) => folder.startsWith('/')),
    ...MORE_FOLDERS,
  ];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
};

/** Changes whenever another version of the file is installed. */
export const fileIdentity = (path: string): string => {
  const real = realpathSync(path);
  const {size, mtimeMs} = statSync(real);
  return `${real}:${size}:${mtimeMs}`;
};

export const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // not there, or not ours to run
  }
};

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // macOS has none of these files
  }
};

const unsupported = (what: string): AgentError =>
  new AgentError('LAUNCHER_UNAVAILABLE', `VMs cannot be run on ${what}.`);
