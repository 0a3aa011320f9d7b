import {randomBytes} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Readable} from 'node:stream';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {VmRecord} from '../../src/model/vm-record.js';
import type {RunningGuest} from '../../src/monitor/monitors.js';
import {openStoreToRead} from '../../src/state/vm-store.js';
import {connectTo, digest, digestOf, shellRequest} from '../monitor/serving.js';
import {agent} from '../support/agent.js';
import {until} from '../support/until.js';
import {useState} from '../support/vm-state.js';

const KIB_PER_MIB = 1024;
const FLOOD_BYTES = 2_000_000;
const ECHO_BYTES = 300_000;

const state = useState();
const vm = async (...args: string[]): Promise<void> => {
  const {code, stderr} = await agent(['vm', ...args], {state});
  expect(code, stderr).toBe(0);
};

const readRecord = async (): Promise<VmRecord> => {
  const store = openStoreToRead(join(state.path, 'agent.mdb'), process.getuid?.() ?? 0);
  const [record] = store?.list().records ?? [];
  if (!record) throw new Error('there is no VM');
  return record;
};

/** A number of the monitor's, in MiB. */
const memoryOf = (pid: number, name: 'VmHWM' | 'VmRSS'): number => {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) / KIB_PER_MIB;
};

describe('fifty sessions at once in one VM', () => {
  let pid = 0;
  let clients: RunningGuest[] = [];
  beforeAll(async () => {
    await vm('create', '--language', 'python', '--name', 'busy', '--mem', '512M');
    await vm('exec', '--vm', 'busy', '--cmd', 'true');
    const {owner, socket} = await readRecord();
    pid = owner?.pid ?? 0;
    const folder = join(state.path, 'vms');
    clients = await Promise.all(Array.from({length: 11}, () => connectTo(socket ?? '', folder)));
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await vm('clean', '--all');
  });

  const clientOf = (index: number): RunningGuest => {
    const client = clients[index % 10];
    if (!client) throw new Error('there are ten');
    return client;
  };

  /** Prints its own number without end, on both streams. */
  const flood = async (client: RunningGuest, index: number): Promise<void> => {
    const {stdin, stdout, stderr, exit} = openFlood(client, index);
    stdin.end();
    await checkFlood({stdout, stderr, exit}, index);
  };

  const openFlood = (client: RunningGuest, index: number): ReturnType<RunningGuest['guest']['exec']> =>
    client.guest.exec(
      shellRequest(
        `yes ${index} | head -c ${FLOOD_BYTES}; yes e${index} | head -c ${FLOOD_BYTES / 10} >&2; exit ${index}`,
      ),
    );

  const checkFlood = async (
    {stdout, stderr, exit}: {stdout: Readable; stderr: Readable; exit: Promise<{code: number | null}>},
    index: number,
  ): Promise<void> => {
    const [out, err, {code}] = await Promise.all([digestOf(stdout), digestOf(stderr), exit]);
    expect(out).toEqual(digest(Buffer.alloc(FLOOD_BYTES, `${index}\n`)));
    expect(err).toEqual(digest(Buffer.alloc(FLOOD_BYTES / 10, `e${index}\n`)));
    expect(code).toBe(index);
  };

  const echo = async (client: RunningGuest): Promise<void> => {
    const bytes = randomBytes(ECHO_BYTES);
    const {stdin, stdout, stderr, exit} = client.guest.exec(shellRequest('cat'));
    stderr.resume();
    stdin.end(bytes);
    const [out, {code}] = await Promise.all([digestOf(stdout), exit]);
    expect(out).toEqual(digest(bytes));
    expect(code).toBe(0);
  };

  it('all end with exactly their output, one of them read by nobody until then', async () => {
    const lazy = openFlood(clients[10] ?? clientOf(0), 50);
    lazy.stdin.end();
    const before = memoryOf(pid, 'VmRSS');
    const work = Array.from({length: 49}, (_, index) =>
      index < 25 ? flood(clientOf(index), index) : echo(clientOf(index)),
    );
    await until('all are there at once', async () => {
      const [{held} = {held: 0}] = [await statusOf()];
      return held >= 40;
    });
    await Promise.all(work);
    await checkFlood(lazy, 50);
    const peak = memoryOf(pid, 'VmHWM');
    await until('the memory returns', () => memoryOf(pid, 'VmRSS') < before + 40, 30_000);
    console.log(
      `monitor: ${before.toFixed(0)} MiB before, ${peak.toFixed(0)} MiB at most, ${memoryOf(pid, 'VmRSS').toFixed(0)} MiB after`,
    );
    expect(peak).toBeLessThan(160);
  });

  const statusOf = async (): Promise<{held: number}> => {
    const {socket} = await readRecord();
    const client = await connectTo(socket ?? '', state.path);
    client.close();
    return {held: client.status.sessions};
  };

  it('leave a VM that serves the next command at once', async () => {
    const before = performance.now();
    await vm('exec', '--vm', 'busy', '--cmd', 'true');
    expect(performance.now() - before).toBeLessThan(10_000);
    expect((await statusOf()).held).toBe(0);
    expect((await readRecord()).owner?.pid).toBe(pid);
  });
});
