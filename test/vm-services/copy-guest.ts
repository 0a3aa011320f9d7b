/** `vm cp` between this machine and the real agent, which here is a process of this machine. */
import {mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {afterAll, beforeAll, beforeEach} from 'vitest';
import type {Guest} from '../../src/guest/guest.js';
import type {Unpacked} from '../../src/guest/tar-unpack.js';
import {memorySink} from '../../src/model/sink.js';
import {copyIn, lookAtSources} from '../../src/vm/copy-in.js';
import {copyOut, lookAtTarget} from '../../src/vm/copy-out.js';
import {planCopy} from '../../src/vm/copy-places.js';
import type {Spool} from '../../src/vm/copy-spool.js';
import {type RealAgent, startAgent} from '../guest/real-agent.js';

export const limits = {maxBytes: 50_000_000, maxEntries: 1000};

interface CopyOptions {
  readonly limits?: typeof limits;
  readonly input?: Readable;
  readonly isTerminal?: boolean;
  readonly signal?: AbortSignal;
}

export interface Copies {
  /** Folders of the test's own: this machine's side, and the guest's. */
  readonly host: () => string;
  readonly inside: () => string;
  /** `vm:` stands for the folder in the guest, and other paths lie in that of this machine. */
  readonly cp: (
    words: readonly string[],
    options?: CopyOptions,
  ) => Promise<{counts: Unpacked[]; output: Buffer}>;
}

/** Copies by a guest, be it an honest one or not. */
export const copyWith = async (
  guest: Guest,
  words: readonly string[],
  {limits: bounds = limits, input = Readable.from([]), isTerminal = false, signal}: CopyOptions = {},
): Promise<{counts: Unpacked[]; output: Buffer}> => {
  const plan = planCopy(words);
  const sink = memorySink(100_000_000);
  const counts: Unpacked[] = [];
  const common = {guest, limits: bounds, signal: signal ?? new AbortController().signal, onBytes: () => {}};
  if (plan.direction === 'in') {
    const looking = {...common, input, spoolFolder: tmpdir()};
    const spools: Spool[] = [];
    try {
      const sources = await lookAtSources(plan.sources, looking, (made) => spools.push(made));
      const onCopied = ({count}: (typeof sources)[number]) => counts.push(count);
      await copyIn({...common, sources, target: plan.target, user: '', onCopied});
    } finally {
      for (const {file} of spools) await file.close();
    }
  } else {
    const target = await lookAtTarget(plan.target, plan.sources, {sink, isTerminal});
    for (const source of plan.sources) counts.push(await copyOut({...common, target}, source));
  }
  return {counts, output: sink.content()};
};

export const useCopies = (): Copies => {
  let agent: RealAgent;
  let folder = '';
  const [host, inside] = [() => join(folder, 'host'), () => join(folder, 'guest')];
  beforeAll(async () => {
    agent = await startAgent();
  });
  afterAll(async () => {
    await agent.stop();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'agent-copy-'));
    mkdirSync(host());
    mkdirSync(inside());
    return () => rmSync(folder, {recursive: true, force: true});
  });
  const place = (word: string): string => {
    if (word === '-') return word;
    // Not `join`, which would take away what the end of a path means.
    return word.startsWith('vm:') ? `vm:${inside()}/${word.slice('vm:'.length)}` : `${host()}/${word}`;
  };
  return {host, inside, cp: (words, options) => copyWith(agent.guest, words.map(place), options)};
};
