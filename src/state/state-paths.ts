import {accessSync, constants, existsSync, lstatSync, mkdirSync} from 'node:fs';
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
  /** Kernels and initramfs images, made once. */
  readonly boot: string;
  /** What is worth keeping until the machine restarts. */
  readonly runtime: string;
}

export interface Host {
  readonly env: Env;
  readonly uid: number;
}

/** The first of: AGENT_STATE_DIR, /var/lib/agent if writable, the user's configuration folder, ~/.agent, a private one in tmp. */
export const resolveStatePaths = (host: Host): StatePaths => {
  const root = resolveRoot(host);
  return {
    root,
    database: join(root, 'agent.mdb'),
    vms: join(root, 'vms'),
    persist: join(root, 'persist'),
    images: join(root, 'images'),
    containers: join(root, 'containers'),
    boot: join(root, 'boot'),
    runtime: runtimeFolder(host),
  };
};

const resolveRoot = ({env, uid}: Host): string => {
  if (env.AGENT_STATE_DIR) return resolve(env.AGENT_STATE_DIR);
  const home = env.HOME || homedir();
  const candidates = [
    '/var/lib/agent',
    env.XDG_CONFIG_HOME ? join(env.XDG_CONFIG_HOME, 'agent') : join(home, '.config', 'agent'),
    join(home, '.agent'),
  ];
  return candidates.find(canBeWritten) ?? join(tmpdir(), `agent-${uid}`);
};

const runtimeFolder = ({env, uid}: Host): string => {
  if (env.XDG_RUNTIME_DIR && canBeWritten(env.XDG_RUNTIME_DIR)) return join(env.XDG_RUNTIME_DIR, 'agent');
  return canBeWritten('/run/agent') ? '/run/agent' : join(tmpdir(), `agent-run-${uid}`);
};

/** Whether the folder is writable, or can be made because the nearest folder above it is. */
const canBeWritten = (folder: string): boolean => {
  if (!existsSync(folder)) return dirname(folder) !== folder && canBeWritten(dirname(folder));
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return lstatSync(folder).isDirectory() || existsSync(join(folder, '.'));
  } catch {
    return false;
  }
};

/** Makes one folder of ours, 0700, with what is missing above it. An existing folder is left as it is, modes included. */
export const makePrivateFolder = (folder: string, uid: number): void => {
  try {
    if (!existsSync(folder)) mkdirSync(folder, {recursive: true, mode: 0o700});
    const found = lstatSync(join(folder, '.'));
    if (found.uid === uid || uid === 0 || !folder.startsWith(tmpdir())) return;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AgentError('STATE_UNUSABLE', `The state directory '${folder}' cannot be used.`, {
      cause: error,
      details: [reason],
      hints: ['set AGENT_STATE_DIR to a folder that you can write'],
    });
  }
  throw new AgentError('STATE_UNUSABLE', `The state directory '${folder}' belongs to somebody else.`, {
    hints: ['set AGENT_STATE_DIR to a folder of your own'],
  });
};
