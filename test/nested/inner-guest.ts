import {Duplex} from 'node:stream';
import {inject} from 'vitest';
import {connectGuest} from '../../src/guest/connect.js';
import type {ExitStatus, Guest, Session} from '../../src/guest/guest.js';
import {record} from './figures.ts';
import type {OuterGuest} from './outer-guest.ts';
import {GUEST_ROOT} from './outer-root.ts';

/** What libkrun gets as its standard streams: pipes, or socket pairs as Node gives them to its children. */
export type Streams = 'pipes' | 'sockets';

export interface VmmOptions {
  readonly streams?: Streams;
  /** What it is started through. */
  readonly through?: readonly string[];
  /** What libkrun starts in the guest; without it the agent. */
  readonly command?: string;
}

/** One process with libkrun in it, as `krunvm start` is one. */
export interface Vmm {
  readonly session: Session;
  /** What it has said on its standard error so far. */
  readonly stderr: () => string;
  readonly exit: Promise<ExitStatus>;
  /** Resolves to null where it still runs then. */
  readonly exitWithin: (ms: number) => Promise<ExitStatus | null>;
  readonly kill: () => Promise<void>;
}

export interface InnerGuest {
  readonly guest: Guest;
  readonly vmm: Vmm;
}

/** A start takes 4 to 8 s under emulation, about once in a hundred it hangs: then, once more. */
const START_MS = 60_000;
const ATTEMPTS = 2;
const STARTS = 'starts of a guest of libkrun';

export const startVmm = (outer: OuterGuest, options: VmmOptions = {}): Vmm => {
  const {streams = 'pipes', through = [], command = '/.agent'} = options;
  const wrapper = streams === 'sockets' ? ['over-sockets'] : [];
  const session = outer.guest.exec({
    argv: [...wrapper, ...through, 'krun-start', GUEST_ROOT, command],
    // None of this may arrive in the guest.
    env: ['PATH=/bin', 'OF_THE_HOST=1'],
    cwd: '/',
    user: '',
  });
  let stderr = '';
  session.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const exitWithin = (ms: number): Promise<ExitStatus | null> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, ms, null);
    });
    return Promise.race([session.exit, late]).finally(() => clearTimeout(timer));
  };
  const kill = async (): Promise<void> => {
    session.kill(9, 'everything');
    session.stdout.resume();
    await session.exit;
  };
  return {session, stderr: () => stderr, exit: session.exit, exitWithin, kill};
};

/** A guest of libkrun's with the agent's HELLO. */
export const startInner = async (outer: OuterGuest, options: VmmOptions = {}): Promise<InnerGuest> => {
  const {folder} = inject('nested');
  for (let attempt = 1; ; attempt += 1) {
    const startedAt = performance.now();
    const vmm = startVmm(outer, options);
    const {stdout, stdin} = vmm.session;
    try {
      const guest = await connectGuest({
        channel: Duplex.from({readable: stdout, writable: stdin}),
        timeoutMs: START_MS,
        signal: new AbortController().signal,
        lastLines: () => vmm.stderr().split('\n').slice(-10),
      });
      const remark = /agent: (opened .*)/.exec(vmm.stderr())?.[1];
      record(folder, {what: STARTS, ms: performance.now() - startedAt, ...(remark && {remark})});
      return {guest, vmm};
    } catch (error) {
      await vmm.kill();
      if (attempt === ATTEMPTS) throw error;
      const fault = error instanceof Error ? error.message : String(error);
      record(folder, {what: STARTS, ms: performance.now() - startedAt, fault});
    }
  }
};
