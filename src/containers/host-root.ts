/**
 * Root over an image's files: root itself, or root in a user namespace of the user's own. Either way in mount and
 * process namespaces of its own, so that no mount and no process outlives the command.
 */
import {AgentError} from '../model/errors.js';
import {type RunOptions, type RunResult, run} from '../process/run.js';

export interface HostRoot {
  /** Runs `args` with root over the images' files; options as `run`. */
  readonly run: (options: Omit<RunOptions, 'file' | 'wholeGroup'>) => Promise<RunResult>;
}

const dieWithParent = ['setpriv', '--pdeathsig', 'KILL', '--'];
const ownNamespaces = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--'];

/** The words before a command that give it root over the images' files. */
export const rootPrefix = (isRoot: boolean): readonly string[] =>
  isRoot
    ? [...dieWithParent, ...ownNamespaces]
    : [...dieWithParent, 'buildah', 'unshare', '--', ...dieWithParent, ...ownNamespaces];

export const createHostRoot = (options: {readonly isRoot: boolean}): HostRoot => ({
  run: async ({args, ...rest}) => {
    const [file = '', ...before] = rootPrefix(options.isRoot);
    return await run({...rest, file, args: [...before, ...args], wholeGroup: true});
  },
});

/** Throws where this user cannot have such a namespace, with the mend. */
export const checkHostRoot = async (options: {
  readonly isRoot: boolean;
  readonly user: string;
  readonly env: RunOptions['env'];
}): Promise<void> => {
  if (options.isRoot) return;
  const {user, env = {}} = options;
  try {
    const ids = await createHostRoot(options).run({
      args: ['cat', '/proc/self/uid_map'],
      env,
      phase: 'entering a user namespace',
      timeoutMs: 20_000,
    });
    if (countIds(ids.stdout) > 1000) return;
    throw namespaceError(user, [`only ${countIds(ids.stdout)} user id is mapped`]);
  } catch (error) {
    if (error instanceof AgentError && error.code === 'PROCESS_FAILED' && error.hints.length === 0) {
      throw namespaceError(user, error.details, error);
    }
    throw error;
  }
};

/** How many user ids a uid_map gives. */
export const countIds = (uidMap: string): number =>
  uidMap
    .split('\n')
    .map((line) => Number(line.trim().split(/\s+/)[2] ?? 0))
    .reduce((sum, count) => sum + (Number.isFinite(count) ? count : 0), 0);

const namespaceError = (user: string, details: readonly string[], cause?: unknown): AgentError =>
  new AgentError('PROCESS_FAILED', `Images cannot be unpacked by '${user}' without root.`, {
    details: details.slice(-3),
    hints: [
      `give the user subordinate ids: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user}`,
      'install newuidmap (package uidmap): agent setup',
      'or run agent as root',
    ],
    cause,
  });
