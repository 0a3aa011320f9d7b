/** Joins a session of the guest with our streams, until it ends, time is up, or the person goes; and ends one. */
import type {Readable} from 'node:stream';
import {setTimeout as sleep} from 'node:timers/promises';
import type {ExitStatus, Session} from '../guest/guest.js';
import {AgentError} from '../model/errors.js';
import {createBudget, type Sink} from '../model/sink.js';
import {pump} from './output.js';

export interface Joined {
  readonly session: Session;
  readonly stdin: Readable | null;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Resolves when the person at the terminal goes. */
  readonly going: Promise<'detached' | 'gone'>;
  /** 0: none. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export type ShellEnd =
  | {readonly kind: 'exited'; readonly status: ExitStatus}
  | {readonly kind: 'detached' | 'gone' | 'timed out'};

/** Throws what a sink throws, INTERRUPTED, and what the VM failed with. */
export const joinSession = async (joined: Joined): Promise<ShellEnd> => {
  const {session, stdin, stdout, stderr} = joined;
  feed(session, stdin);
  const budget = createBudget(Number.POSITIVE_INFINITY);
  const copied = Promise.all([
    pump(session.stdout, [stdout], budget),
    pump(session.stderr, [stderr], budget),
  ]);
  const exited = Promise.all([session.exit, copied]).then(([status]) => ({kind: 'exited', status}) as const);
  exited.catch(() => {}); // looked at below, or not at all once something else was first
  try {
    return await firstOf(joined, exited);
  } finally {
    stdin?.unpipe(session.stdin);
  }
};

const feed = (session: Session, stdin: Readable | null): void => {
  session.stdin.on('error', () => {}); // the shell ended without reading all of it
  if (stdin) stdin.pipe(session.stdin);
  else session.stdin.end();
};

const firstOf = async ({going, timeoutMs, signal}: Joined, exited: Promise<ShellEnd>): Promise<ShellEnd> => {
  const done = new AbortController();
  const interrupted = new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => reject(new AgentError('INTERRUPTED', 'interrupted'));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, {once: true, signal: done.signal});
  });
  const gone = going.then((kind): ShellEnd => ({kind}));
  const ends = [exited, interrupted, gone, ...(timeoutMs === 0 ? [] : [deadline(timeoutMs, done.signal)])];
  for (const end of ends) end.catch(() => {}); // only the first counts
  try {
    return await Promise.race(ends);
  } finally {
    done.abort();
  }
};

const deadline = async (timeoutMs: number, signal: AbortSignal): Promise<ShellEnd> => {
  await sleep(timeoutMs, undefined, {signal});
  return {kind: 'timed out'};
};

const SIGHUP = 1;
const SIGTERM = 15;
const SIGKILL = 9;
const GRACE_MS = 2_000;
const KILL_GRACE_MS = 5_000;

/** What a shell gets whose terminal goes: it tells its jobs, and keeps its history. Then nothing of it is left. */
export const endShell = async (session: Session): Promise<void> => {
  const exit = session.exit.catch(() => null);
  session.stdout.destroy();
  session.stderr.destroy();
  session.kill(SIGHUP, 'everything');
  session.kill(SIGTERM, 'everything');
  const ended = await Promise.race([exit, sleep(GRACE_MS, 'late' as const)]);
  if (ended !== 'late') return;
  session.kill(SIGKILL, 'everything');
  await Promise.race([exit, sleep(KILL_GRACE_MS)]);
};
