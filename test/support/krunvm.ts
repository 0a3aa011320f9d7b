/** krunvm's test double, and buildah's: the environment in which they are found and fail as asked. */
import {spawnSync} from 'node:child_process';
import {cpSync, existsSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {fileURLToPath} from 'node:url';

type Env = Readonly<Record<string, string | undefined>>;

const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url));

/** The folder with the `krunvm` that is the test double. */
export const krunvmFolder = join(fixtures, 'bin');

/** What test/fixtures/krunvm-double/faults.mjs describes. */
export interface KrunvmFaults {
  readonly version?: string;
  readonly 'missing-libkrun'?: true;
  readonly 'no-kvm'?: true;
  readonly 'lock-held'?: true;
  readonly silent?: true;
  readonly reboot?: true;
  /** Milliseconds after the guest was started. */
  readonly 'dies-after'?: number;
  /** How many creates fail before one succeeds. */
  readonly 'create-fails'?: number;
  readonly noise?: true;
  /** Milliseconds. */
  readonly slow?: number;
  readonly 'slow-create'?: number;
  readonly 'slow-start'?: number;
  readonly 'slow-delete'?: number;
  /** Or the prefix of the installation, with `etc/containers` in it. */
  readonly macos?: true | string;
  readonly prompt?: true;
}

/** What test/fixtures/buildah-double/main.mjs describes. */
export interface BuildahFaults {
  readonly version?: string;
  /** A subcommand that never ends. */
  readonly hang?: string;
  /** A subcommand that fails. */
  readonly fail?: string;
}

/** `env` with the double before any krunvm of the machine. */
export const withKrunvm = (env: Env, faults: KrunvmFaults = {}): Env => ({
  ...env,
  PATH: [krunvmFolder, env.PATH].join(delimiter),
  KRUNVM_DOUBLE: format(faults),
});

/** `env` with the fast double of buildah before the real one. */
export const withBuildahDouble = (
  env: Env,
  {log, faults = {}}: {readonly log?: string; readonly faults?: BuildahFaults} = {},
): Env => ({
  ...env,
  PATH: [join(fixtures, 'buildah-double', 'bin'), env.PATH].join(delimiter),
  BUILDAH_DOUBLE: format(faults),
  ...(log === undefined ? {} : {BUILDAH_DOUBLE_LOG: log}),
});

/** The arguments of every call of buildah's double, in their order. */
export const readBuildahCalls = (log: string): readonly (readonly string[])[] =>
  existsSync(log)
    ? readFileSync(log, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as string[])
    : [];

/** Leaves the images in the storage of buildah's double as an interrupted pull does: named, but without their files. */
export const halfPull = (storage: string): void => {
  for (const id of readdirSync(join(storage, 'images'))) {
    rmSync(join(storage, 'images', id, 'rootfs'), {recursive: true, force: true});
  }
};

const format = (faults: object): string =>
  Object.entries(faults)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => (value === true ? name : `${name}=${value}`))
    .join(',');

/** Copies the double to where another user can read it; returns the folder for that user's PATH. */
export const copyKrunvm = (folder: string): string => {
  for (const part of ['bin', 'krunvm-double'])
    cpSync(join(fixtures, part), join(folder, part), {recursive: true});
  return join(folder, 'bin');
};

/** Why the double cannot start guests here, or undefined. */
export const whyNoKrunvm = (): string | undefined => {
  if (process.platform !== 'linux') return `the double has no guests on ${process.platform}`;
  const unshare = ['unshare', '--mount', '--pid', '--uts', '--ipc', '--fork', '--kill-child', 'true'];
  const wanted = process.getuid?.() === 0 ? unshare : ['buildah', 'unshare', '--', ...unshare];
  const [file = '', ...args] = ['setpriv', '--pdeathsig', 'KILL', ...wanted];
  const {error, status, stderr} = spawnSync(file, args, {encoding: 'utf8'});
  if (error) return error.message;
  return status === 0 ? undefined : `namespaces cannot be made: ${stderr.trim()}`;
};
