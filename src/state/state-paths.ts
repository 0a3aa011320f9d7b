import {accessSync, constants, existsSync, lstatSync, mkdirSync, statSync} from 'node:fs';
import {homedir, tmpdir} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import {AgentError} from '../model/errors.js';

type Env = Readonly<Record<string, string | undefined>>;

/** Where everything of ours lies. Nothing here is made by asking. */
export interface StatePaths {
  readonly root: string;
  readonly database: string;
  readonly vms: string;
  readonly persist: string;
  readonly images: string;
  readonly containers: string;
  /** krunvm's own file, one per VM. */
  readonly krunvm: string;
  /** Kernels and initramfs images, made once. */
  readonly boot: string;
  /** VMs that were booted once and saved. */
  readonly templates: string;
  /** What is worth keeping until the machine restarts. */
  readonly runtime: string;
}

export interface Host {
  readonly env: Env;
  readonly uid: number;
}

/** What the choice of the state directory depends on besides the environment. */
export interface Places {
  readonly home: string;
  /** Writable by everybody. */
  readonly tmp: string;
  /** Whether the folder is writable, or can be made because the nearest folder above it is. */
  readonly canBeWritten: (folder: string) => boolean;
  readonly isOurs: (folder: string) => boolean;
}

/** The first of: AGENT_STATE_DIR, /var/lib/agent if writable, the user's configuration folder, ~/.agent, a private one in tmp. */
export const resolveStatePaths = (host: Host, places: Places = findPlaces(host)): StatePaths => {
  const root = resolveRoot(host, places);
  return {
    root,
    database: join(root, 'agent.mdb'),
    vms: join(root, 'vms'),
    persist: join(root, 'persist'),
    images: join(root, 'images'),
    containers: join(root, 'containers'),
    krunvm: join(root, 'krunvm'),
    boot: join(root, 'boot'),
    templates: join(root, 'templates'),
    runtime: runtimeFolder(host, places) ?? join(root, 'run'),
  };
};

const resolveRoot = ({env, uid}: Host, {home, tmp, canBeWritten}: Places): string => {
  if (env.AGENT_STATE_DIR) return resolve(env.AGENT_STATE_DIR);
  const candidates = [
    '/var/lib/agent',
    env.XDG_CONFIG_HOME ? join(env.XDG_CONFIG_HOME, 'agent') : join(home, '.config', 'agent'),
    join(home, '.agent'),
  ];
  return candidates.find(canBeWritten) ?? fallback(tmp, uid);
};

const fallback = (tmp: string, uid: number): string => join(tmp, `agent-${uid}`);

/** That of somebody else, as `su` leaves it behind, would let him answer for our VMs. */
const runtimeFolder = ({env}: Host, {canBeWritten, isOurs}: Places): string | undefined => {
  if (env.XDG_RUNTIME_DIR && isOurs(env.XDG_RUNTIME_DIR) && canBeWritten(env.XDG_RUNTIME_DIR))
    return join(env.XDG_RUNTIME_DIR, 'agent');
  return canBeWritten('/run/agent') ? '/run/agent' : undefined;
};

const findPlaces = ({env, uid}: Host): Places => ({
  home: env.HOME || homedir(),
  tmp: tmpdir(),
  canBeWritten,
  isOurs: (folder) => statSync(folder, {throwIfNoEntry: false})?.uid === uid,
});

const canBeWritten = (folder: string): boolean => {
  if (!existsSync(folder)) return dirname(folder) !== folder && canBeWritten(dirname(folder));
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return statSync(folder).isDirectory();
  } catch {
    return false;
  }
};

/** Makes one folder of ours, 0700, with what is missing above it. An existing folder is left as it is, modes included. */
export const makePrivateFolder = (folder: string, uid: number): void => {
  try {
    makeFolder(folder);
    if (!statSync(folder).isDirectory()) throw new Error('it is not a folder');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AgentError('STATE_UNUSABLE', `The state directory '${folder}' cannot be used.`, {
      cause: error,
      details: [reason],
      hints: ['set AGENT_STATE_DIR to a folder that you can write'],
    });
  }
  refuseForeign(folder, uid);
};

// Not `recursive`: below /proc, Node 20 would try for ever.
const makeFolder = (folder: string): void => {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, {mode: 0o700});
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
};

/** Anybody can make a folder in tmp under the name that we would use there, or a link of that name. */
export const refuseForeign = (folder: string, uid: number): void => {
  if (folder !== fallback(tmpdir(), uid)) return;
  const found = lstatSync(folder, {throwIfNoEntry: false});
  if (!found || (found.isDirectory() && found.uid === uid)) return;
  throw new AgentError('STATE_UNUSABLE', `The state directory '${folder}' belongs to somebody else.`, {
    hints: ['set AGENT_STATE_DIR to a folder of your own'],
  });
};
