/** Runs host programs with a deadline, streaming, and errors that name the cause: with execa, which takes its time to load. */
import type {execa as Execa, ExecaError} from 'execa';
import {AgentError, deadlineError, diskFull} from '../model/errors.js';
import {coveringInherited, inherited} from './inherited.js';

export interface RunOptions {
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment of the child; without it, ours. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Names the wait in the error at the deadline, for example `pulling python:3.11-slim`. */
  readonly phase: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Standard input; without it the child's is closed. */
  readonly input?: string | Uint8Array;
  /** Every line of standard output and error as it comes. */
  readonly onLine?: (line: string) => void;
  /** Runs it in a process group of its own, killed at once when cancelled, with all that it leaves behind. */
  readonly wholeGroup?: boolean;
  /** Standard output, too, tells why it failed. */
  readonly saysErrorsOnStdout?: boolean;
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
}

const KEPT_LINES = 20;
const MAX_OUTPUT = 16 * 1024 * 1024;

/** Runs `file` to its end. Throws PROCESS_FAILED (exit code not 0), DEADLINE, INTERRUPTED, all with its last lines. */
export const run = async (options: RunOptions): Promise<RunResult> => {
  const startedAt = Date.now();
  const {execa, ExecaError: Failed} = await import('execa');
  try {
    const child = start(execa, options);
    if (options.wholeGroup) child.once('exit', () => killGroup(child.pid));
    const {onLine} = options;
    if (onLine) await Promise.all([eachLine(child.all, onLine), child]);
    const result = await child;
    return {stdout: result.stdout, stderr: result.stderr};
  } catch (error) {
    throw error instanceof Failed ? explain(error, options, Date.now() - startedAt) : error;
  }
};

const start = (execa: typeof Execa, options: RunOptions) =>
  coveringInherited(3, (covers) =>
    execa(options.file, [...options.args], {
      ...(options.env ? {env: options.env, extendEnv: false} : {}),
      ...(options.cwd ? {cwd: options.cwd} : {}),
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', ...covers.map(inherited)],
      ...(options.input === undefined ? {} : {input: options.input}),
      timeout: options.timeoutMs,
      ...(options.signal ? {cancelSignal: options.signal} : {}),
      forceKillAfterDelay: 2000,
      maxBuffer: MAX_OUTPUT,
      stripFinalNewline: true,
      all: true,
      ...(options.wholeGroup ? {detached: true, killSignal: 'SIGKILL'} : {}),
    }),
  );

const killGroup = (pid: number | undefined): void => {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // nobody was left
  }
};

const eachLine = async (output: AsyncIterable<unknown>, onLine: (line: string) => void): Promise<void> => {
  let rest = '';
  for await (const chunk of output) {
    const lines = `${rest}${String(chunk)}`.split(/\r\n|\r|\n/);
    rest = (lines.pop() ?? '').slice(-4096);
    for (const line of lines) onLine(line);
  }
  if (rest !== '') onLine(rest);
};

const explain = (error: ExecaError, options: RunOptions, elapsedMs: number): AgentError => {
  const said = saidBy(error, options);
  if (error.isCanceled)
    return new AgentError('INTERRUPTED', `${options.phase} was interrupted`, {cause: error});
  if (error.timedOut) return deadlineError(options.phase, elapsedMs, said);
  if (error.code === 'ENOENT') {
    return new AgentError('PROCESS_FAILED', `'${options.file}' is not installed`, {
      cause: error,
      hints: ['run: agent setup'],
    });
  }
  if (said.some(tellsFullDisk)) return diskFull(`${options.phase} failed`, error);
  const how = error.signal ? `was ended by ${error.signal}` : `exited with ${error.exitCode ?? 'an error'}`;
  return new AgentError('PROCESS_FAILED', `${options.phase} failed: ${options.file} ${how}`, {
    cause: error,
    details: said,
  });
};

// unshare says so too, where no further namespace may be made.
const tellsFullDisk = (line: string): boolean =>
  /no space left on device|disk quota exceeded/i.test(line) && !line.startsWith('unshare: ');

const saidBy = ({stderr, stdout}: ExecaError, {saysErrorsOnStdout}: RunOptions): string[] => {
  const [errors, output] = [stderr, stdout].map((text) => lastLines(`${text ?? ''}`));
  return saysErrorsOnStdout ? [...(errors ?? []), ...(output ?? [])] : (errors ?? output ?? []);
};

const lastLines = (text: string): string[] | undefined => {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.length > 0 ? lines.slice(-KEPT_LINES) : undefined;
};
