/** What several processes do to one store at the same time, for real. */
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';
import {afterAll, afterEach, describe, expect, it} from 'vitest';
import {identifyProcess, isAlive} from '../../src/process/identity.js';
import {type LockOptions, withLock} from '../../src/state/lock.js';
import {openStore} from '../../src/state/vm-store.js';
import {idNumber, someRecord} from '../support/some-records.js';

const script = fileURLToPath(new URL('contender.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'processes-'));
const path = join(folder, 'agent.mdb');
const store = openStore(path, process.getuid?.() ?? 0);
const self = identifyProcess(process.pid) ?? {pid: process.pid, startedAt: ''};

const running: ChildProcess[] = [];
const contend = (...args: readonly string[]): ChildProcess => {
  const child = spawn(process.execPath, ['--import', 'tsx', script, path, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(child);
  return child;
};

const firstLine = async (child: ChildProcess): Promise<string> => {
  if (!child.stdout) throw new Error('no standard output');
  const [line] = await once(createInterface(child.stdout), 'line');
  return String(line);
};

const kill = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
};

afterEach(async () => {
  for (const child of running.splice(0)) await kill(child);
});
afterAll(async () => {
  await store.database.close();
  rmSync(folder, {recursive: true, force: true});
});

const lockOptions = (change: Partial<LockOptions> = {}): LockOptions => ({
  database: store.database,
  name: 'image',
  self,
  isAlive,
  timeoutMs: 10_000,
  signal: new AbortController().signal,
  ...change,
});

describe('two processes', () => {
  it('lose none of their changes to one record', async () => {
    store.insert(someRecord({id: idNumber(0), cpus: 1}));
    const children = [contend('count', '300'), contend('count', '300')];
    const codes = await Promise.all(children.map((child) => once(child, 'exit')));
    expect(codes.map(([code]) => code)).toEqual([0, 0]);
    expect(store.get(idNumber(0))?.cpus).toBe(601);
    store.remove(idNumber(0));
  });

  it('boot one VM: one wins, and the other is told who', async () => {
    store.insert(someRecord({id: idNumber(0)}));
    const children = [contend('claim'), contend('claim')];
    const said = await Promise.all(children.map(firstLine));
    expect([...said].sort()).toEqual([expect.stringContaining(`VM '${idNumber(0)}' is booting`), 'won']);
    expect(store.get(idNumber(0))?.owner?.pid).toBe(children[said.indexOf('won')]?.pid);
    store.remove(idNumber(0));
  });
});

describe('a lock', () => {
  it('is waited for, and taken over when its holder is killed', async () => {
    const holder = contend('hold', 'image');
    expect(await firstLine(holder)).toBe('held');
    const waitedFor: number[] = [];
    const taken = withLock(lockOptions({onWait: ({pid}) => waitedFor.push(pid)}), async () => 'mine');
    expect(waitedFor).toEqual([holder.pid]);
    await kill(holder);
    expect(await taken).toBe('mine');
  });

  it('is given back after success and failure', async () => {
    await withLock(lockOptions(), async () => {});
    await expect(withLock(lockOptions(), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await withLock(lockOptions(), async () => 'free')).toBe('free');
  });

  it('says who holds it when the wait gets too long', async () => {
    const holder = contend('hold', 'image');
    await firstLine(holder);
    await expect(withLock(lockOptions({timeoutMs: 0}), async () => {})).rejects.toMatchObject({
      code: 'DEADLINE',
      details: [`process ${holder.pid} holds it`],
    });
  });

  it('is not waited for once the user has had enough', async () => {
    await firstLine(contend('hold', 'image'));
    const signal = AbortSignal.timeout(20);
    await expect(withLock(lockOptions({signal}), async () => {})).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
  });

  it('keeps out those of the same process too', async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
    };
    await Promise.all([withLock(lockOptions(), work), withLock(lockOptions(), work)]);
    expect(most).toBe(1);
  });
});

describe('a database that several processes make at the same time', () => {
  it('has what each of them stored', async () => {
    for (let round = 0; round < 3; round++) {
      const fresh = join(folder, `fresh-${round}`, 'agent.mdb');
      const codes = await Promise.all(
        Array.from({length: 12}, async (_, number) => {
          const child = spawn(process.execPath, [await contender(), fresh, 'insert', String(number)], {
            stdio: 'inherit',
          });
          running.push(child);
          const [code] = await once(child, 'exit');
          return code as number | null;
        }),
      );
      expect(codes).toEqual(codes.map(() => 0));
      const made = openStore(fresh, process.getuid?.() ?? 0);
      expect(
        made
          .list()
          .records.map(({id}) => id)
          .toSorted(),
      ).toEqual(codes.map((_, n) => idNumber(n)));
      await made.database.close();
      expect(readdirSync(dirname(fresh)).toSorted()).toEqual(['agent.mdb', 'agent.mdb-lock']);
    }
  });
});

/** Bundled, so that all of them are at it at the same time. */
const contender = async (): Promise<string> => {
  const outfile = fileURLToPath(new URL('../../node_modules/.cache/contender.mjs', import.meta.url));
  built ??= build({
    entryPoints: [script],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    packages: 'external',
  });
  await built;
  return outfile;
};
let built: Promise<unknown> | undefined;
