/** scripts/linux/setup.sh, which alone knows the names of packages; on macOS a word about what to do there. */
import {spawn} from 'node:child_process';
import {join} from 'node:path';
import {AgentError} from '../model/errors.js';
import {run} from '../process/run.js';
import type {MissingProgram, SystemPackages} from './setup-tools.js';

const CHECK_DEADLINE_MS = 30_000;

interface Place {
  /** Folder of package.json. */
  readonly packageRoot: string;
  readonly platform: NodeJS.Platform;
  readonly signal: AbortSignal;
}

export const createSystemPackages = ({packageRoot, platform, signal}: Place): SystemPackages => {
  const script = join(packageRoot, 'scripts', 'linux', 'setup.sh');
  return {
    missing: async () => {
      if (platform !== 'linux') throw unsupported(platform);
      const {stdout} = await run({
        file: 'bash',
        // With a list of what is missing it exits with 1: that is an answer and no failure.
        args: ['-c', 'list=$(bash "$0" --check) || [ -n "$list" ] && printf %s "$list"', script],
        phase: 'looking for system packages',
        timeoutMs: CHECK_DEADLINE_MS,
        signal,
      });
      return parseMissing(stdout);
    },
    install: async ({assumeYes}) => await runAtTerminal(script, assumeYes ? ['--yes'] : []),
    updateLists: async () => await runAtTerminal(script, ['--lists', '--yes']),
  };
};

/** Lines of `setup.sh --check`: `  buildah              fetches and builds guest images`. */
export const parseMissing = (text: string): MissingProgram[] =>
  text
    .split('\n')
    .map((line) => /^ {2}(\S+) +(.*)$/.exec(line))
    .flatMap((match) => (match?.[1] ? [{name: match[1], purpose: match[2] ?? ''}] : []));

// It may ask, and sudo may: so it has our terminal. Its words are no data, so they go to standard error.
const runAtTerminal = (script: string, args: readonly string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn('bash', [script, ...args], {stdio: ['inherit', 2, 2]});
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else
        reject(
          new AgentError(
            'PROCESS_FAILED',
            'The system packages could not be brought up to what agent needs.',
            {
              hints: ['do what is said above, then run again: agent setup'],
            },
          ),
        );
    });
  });

const unsupported = (platform: string): AgentError =>
  platform === 'darwin'
    ? new AgentError('LAUNCHER_UNAVAILABLE', 'agent setup does not prepare macOS yet.', {
        details: ['nothing of agent has been tested on macOS so far'],
        hints: [
          'what Homebrew has of it: brew install qemu e2fsprogs erofs-utils',
          'guest images are made with buildah, which runs on Linux only: use a Linux machine for now',
        ],
      })
    : new AgentError('LAUNCHER_UNAVAILABLE', `agent does not run on ${platform}.`, {
        hints: ['use Linux, for example Debian or Ubuntu'],
      });
