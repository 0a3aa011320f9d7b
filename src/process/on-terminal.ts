/** Runs a program that looks at or sets the terminal behind our standard input, such as `stty`. */
import {execaSync} from 'execa';
import {AgentError} from '../model/errors.js';
import {coveringInherited, inherited} from './inherited.js';

const DEADLINE_MS = 3_000;

/** Waits for its end without letting anything else run, so that it serves while the process ends, too. */
export const runOnTerminal = (file: string, args: readonly string[]): string => {
  const result = coveringInherited(3, (covers) =>
    execaSync(file, [...args], {
      stdio: ['inherit', 'pipe', 'pipe', ...covers.map(inherited)],
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
      reject: false,
    }),
  );
  if (!result.failed) return `${result.stdout}`;
  throw new AgentError('PROCESS_FAILED', `The terminal cannot be set: '${file}' failed.`, {
    cause: result,
    details: [`${result.stderr || result.originalMessage || result.shortMessage}`],
  });
};
