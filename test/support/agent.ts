/** Runs the built command line as a user would, against state directories of the test's own. */
import {type ChildProcess, spawn} from 'node:child_process';
import {mkdtempSync, rmSync, symlinkSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {resolveStatePaths} from '../../src/state/state-paths.js';

export const executable = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

/** The state directory that `npm test` has prepared: its images and kernel are used, its VMs are left alone. */
export const prepared = resolveStatePaths({env: process.env, uid: process.getuid?.() ?? 0});

export interface StateFolder {
  readonly path: string;
  /** For every command on it. */
  readonly env?: Readonly<Record<string, string>>;
  readonly remove: () => void;
}

/** A state directory without VMs that shares the prepared images and kernels. */
export const makeState = (): StateFolder => {
  const path = mkdtempSync(join(tmpdir(), 'agent-test-'));
  symlinkSync(prepared.images, join(path, 'images'));
  symlinkSync(prepared.boot, join(path, 'boot'));
  return {path, remove: () => rmSync(path, {recursive: true, force: true})};
};

export interface AgentOptions {
  readonly state: StateFolder;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Standard input; without it, it is empty. */
  readonly input?: string | Buffer;
  readonly timeoutMs?: number;
}

export interface AgentResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** Every JSON line of standard error. */
  readonly events: readonly Record<string, unknown>[];
}

/** `agent ARGS`, to its end; killed at the deadline, which then shows as a signal. */
export const agent = (args: readonly string[], options: AgentOptions): Promise<AgentResult> => {
  const child = startAgent(args, options);
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdin?.on('error', () => {}); // a command that ends without reading
  child.stdin?.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve({code, signal, stdout: Buffer.concat(stdout), stderr, events: jsonLines(stderr)});
    });
  });
};

/** `agent ARGS`, running: the caller ends it. */
export const startAgent = (
  args: readonly string[],
  {state, env, cwd, timeoutMs}: AgentOptions,
): ChildProcess =>
  spawn(process.execPath, [executable, ...args], {
    cwd,
    env: {...process.env, NO_COLOR: '1', ...state.env, ...env, AGENT_STATE_DIR: state.path},
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: timeoutMs ?? 120_000,
    killSignal: 'SIGKILL',
  });

export const jsonLines = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
