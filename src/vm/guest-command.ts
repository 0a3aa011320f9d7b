/** Runs one command in a booted guest: its streams to their sinks, its end by exit, deadline or interruption. */

import type {Readable} from 'node:stream';
import {setTimeout as sleep} from 'node:timers/promises';
import type {ExecRequest, ExitStatus, Guest, Session} from '../guest/guest.js';
import {AgentError} from '../model/errors.js';
import type {Budget, Sink} from '../model/sink.js';
import {pump} from './output.js';

export interface CommandIo {
  readonly stdin: Readable | null;
  readonly stdout: readonly Sink[];
  readonly stderr: readonly Sink[];
  /** For both streams together; what is over it is read and dropped. */
  readonly budget: Budget;
}

export interface CommandOptions {
  readonly guest: Guest;
  readonly request: ExecRequest;
  readonly io: CommandIo;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface CommandResult {
  /** Null when the deadline passed and not even SIGKILL brought an answer: the guest cannot be trusted any more. */
  readonly status: ExitStatus | null;
  readonly timedOut: boolean;
}

const SIGINT = 2;
const SIGTERM = 15;
const SIGKILL = 9;
const INT_GRACE_MS = 1_000;
const TERM_GRACE_MS = 2_000;
/** Thousands of processes take their time to die on an emulated processor. */
const KILL_GRACE_MS = 20_000;

/** Throws what a sink throws, INTERRUPTED, and GUEST_FAILED when the guest ends first. */
export const runCommand = async (options: CommandOptions): Promise<CommandResult> => {
  const session = options.guest.exec(options.request);
  feedStdin(session, options.io.stdin);
  const copied = Promise.all([
    pump(session.stdout, options.io.stdout, options.io.budget),
    pump(session.stderr, options.io.stderr, options.io.budget),
  ]);
  const finished = Promise.all([session.exit, copied]);
  finished.catch(() => {}); // it is looked at below, or not at all once something else has ended the command
  const ended = await firstOf({...options, finished}).catch(async (error: unknown) => {
    await endSession(session); // a sink failed: nobody takes the output, so the command ends
    throw error;
  });
  if (ended === 'interrupted') {
    await interrupt(session);
    throw new AgentError('INTERRUPTED', 'interrupted');
  }
  if (ended === 'deadline') return {status: await endSession(session), timedOut: true};
  const [status] = ended;
  return {status, timedOut: false};
};

const feedStdin = (session: Session, stdin: Readable | null): void => {
  session.stdin.on('error', () => {}); // the command ended without reading all of it
  if (stdin) stdin.pipe(session.stdin);
  else session.stdin.end();
};

interface Waits<T> {
  readonly finished: Promise<T>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const firstOf = async <T>({
  finished,
  timeoutMs,
  signal,
}: Waits<T>): Promise<T | 'deadline' | 'interrupted'> => {
  const done = new AbortController();
  const deadline = sleep(timeoutMs, 'deadline' as const, {signal: done.signal});
  const interrupted = new Promise<'interrupted'>((resolve) => {
    if (signal.aborted) resolve('interrupted');
    signal.addEventListener('abort', () => resolve('interrupted'), {once: true, signal: done.signal});
  });
  deadline.catch(() => {}); // done before it
  try {
    return await Promise.race([finished, deadline, interrupted]);
  } finally {
    done.abort();
  }
};

/** As Ctrl-C in a terminal does, so that a program may say its last words; what stays is ended. */
const interrupt = async (session: Session): Promise<void> => {
  session.kill(SIGINT, 'everything');
  const left = await Promise.race([session.exit.catch(() => null), sleep(INT_GRACE_MS, 'running' as const)]);
  if (left === 'running') await endSession(session);
};

/** SIGTERM to all of it, a grace, SIGKILL. Nobody reads its output any more, so that nothing holds up its end. */
const endSession = async (session: Session): Promise<ExitStatus | null> => {
  const exit = session.exit.catch(() => null);
  session.kill(SIGTERM, 'everything');
  // The exit comes when all of it is gone.
  const left = await Promise.race([exit, sleep(TERM_GRACE_MS, 'running' as const)]);
  session.kill(SIGKILL, 'everything');
  session.stdout.destroy();
  session.stderr.destroy();
  return left === 'running' ? Promise.race([exit, sleep(KILL_GRACE_MS, null)]) : left;
};
