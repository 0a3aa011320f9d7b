/** The setup.sh of this system, which alone knows the names of packages. */
import {spawn} from 'node:child_process';
import {join} from 'node:path';
import {AgentError} from '../model/errors.js';
import {run} from '../process/run.js';
import type {MissingProgram, SystemPackages} from './setup-tools.js';

const CHECK_DEADLINE_MS = 60_000;

interface Place {
  /** Folder of package.json. */
  readonly packageRoot: string;
  readonly platform: NodeJS.Platform;
  /** The state directory, which the script for macOS makes too. */
  readonly stateFolder: string;
  readonly signal: AbortSignal;
}

export const createSystemPackages = (place: Place): SystemPackages => ({
  missing: async () => {
    const {script, args} = scriptFor(place);
    const {stdout} = await run({
      file: 'bash',
      // With a list of what is missing it exits with 1: that is an answer and no failure.
      args: [
        '-c',
        'list=$(bash "$@") || [ -n "$list" ] && printf %s "$list"',
        'bash',
        script,
        '--check',
        ...args,
      ],
      phase: 'looking for system packages',
      timeoutMs: CHECK_DEADLINE_MS,
      signal: place.signal,
    });
    return parseMissing(stdout);
  },
  install: async ({assumeYes}) => {
    const {script, args} = scriptFor(place);
    await runAtTerminal(script, assumeYes ? ['--yes', ...args] : args);
  },
});

/** Asks the distribution's mirrors what there is. */
export const updatePackageLists = async (packageRoot: string): Promise<void> =>
  await runAtTerminal(setupScript(packageRoot, 'linux'), ['--lists', '--yes']);

const scriptFor = ({packageRoot, platform, stateFolder}: Place) => {
  if (platform === 'linux') return {script: setupScript(packageRoot, 'linux'), args: []};
  if (platform === 'darwin') {
    return {script: setupScript(packageRoot, 'macos'), args: ['--state', stateFolder]};
  }
  throw new AgentError('LAUNCHER_UNAVAILABLE', `agent does not run on ${platform}.`, {
    hints: ['use Linux, for example Debian or Ubuntu, or a Mac with Apple silicon'],
  });
};

const setupScript = (packageRoot: string, folder: 'linux' | 'macos'): string =>
  join(packageRoot, 'scripts', folder, 'setup.sh');

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
