/** Services on hundreds of VMs, without any: how much is done at the same time, and how often the others are looked at. */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeEach, describe, expect, it} from 'vitest';
import type {GuestImage} from '../../src/model/guest-image.js';
import {openStore} from '../../src/state/vm-store.js';
import {cleanVms, stopVms} from '../../src/vm/end-vms.js';
import {execVms} from '../../src/vm/exec-vms.js';
import {listVms} from '../../src/vm/list-vms.js';
import {reap} from '../../src/vm/reap.js';
import {bootsAtOnce, endingsAtOnce, questionsAtOnce} from '../../src/vm/several.js';
import type {VmContext} from '../../src/vm/vm-context.js';
import {idNumber, someRecord} from '../support/some-records.js';

const folder = mkdtempSync(join(tmpdir(), 'many-'));
const store = openStore(join(folder, 'agent.mdb'), process.getuid?.() ?? 0);
const self = {pid: 100, startedAt: 'a'};
const other = {pid: 200, startedAt: 'b'};
const all = {vms: [], all: true, labels: {}} as const;
const MANY = 60;

const image = {digest: `sha256:${'0'.repeat(64)}`, rootfsPath: '/x', config: {}} as unknown as GuestImage;
let now = 0;
let most = 0;
let calls = 0;
let listings = 0;

/** Work that takes a while, counted. */
const busy = async (): Promise<void> => {
  calls++;
  most = Math.max(most, ++now);
  await sleep(2);
  now--;
};

const contextWith = (change: Partial<VmContext> = {}): VmContext => {
  const counting = {
    ...store,
    list: () => {
      listings++;
      return store.list();
    },
  };
  return {
    self,
    store: () => counting,
    storeIfAny: () => counting,
    storeToRead: () => counting,
    isAlive: () => false,
    signal: new AbortController().signal,
    progress: {step: () => {}, detail: () => {}},
    notice: () => {},
    now: () => new Date(),
    randomId: () => '00000000',
    paths: {vms: join(folder, 'vms'), persist: join(folder, 'persist')},
    images: {find: () => image},
    monitors: {
      tidy: () => {},
      start: async () => {
        await busy();
        throw new Error('boots nothing');
      },
      connect: async () => {
        await busy();
        throw new Error('connects to nothing');
      },
      status: async () => {
        await busy();
        return {isResponsive: true};
      },
    },
    launcher: () => ({end: busy, remove: async () => {}}),
    ...change,
  } as unknown as VmContext;
};

const insertMany = (change: Parameters<typeof someRecord>[0] = {}): void => {
  for (let number = 1; number <= MANY; number++) store.insert(someRecord({id: idNumber(number), ...change}));
};

const execOnAll = (context: VmContext) =>
  execVms(context, {
    records: store.list().records,
    request: {
      program: () => ({kind: 'command', text: 'true'}),
      ...{files: [], env: [], timeoutMs: 1_000, maxOutputBytes: 1_000, parallel: 256},
    },
    openIo: () => ({stdin: null, stdout: [], stderr: []}),
    onResult: () => {},
  });

beforeEach(() => {
  for (const record of store.list().records) store.remove(record.id);
  now = most = calls = listings = 0;
});
afterAll(async () => {
  await store.database.close();
  rmSync(folder, {recursive: true, force: true});
});

describe('with very many VMs', () => {
  it('a command on all boots as many at a time as the machine can bear, whatever is asked for', async () => {
    insertMany();
    const results = await execOnAll(contextWith());
    expect(results.map(({record}) => record.id)).toEqual(store.list().records.map(({id}) => id));
    expect(new Set(results.map(({error}) => error?.message))).toEqual(new Set(['boots nothing']));
    expect({calls, most}).toEqual({calls: MANY, most: Math.min(MANY, bootsAtOnce())});
  });

  it('a command on all that are up connects to some at a time', async () => {
    insertMany({status: 'running', owner: other, socket: '/x'});
    const results = await execOnAll(contextWith({isAlive: () => true}));
    expect(new Set(results.map(({error}) => error?.message))).toEqual(new Set(['connects to nothing']));
    expect({calls, most}).toEqual({calls: MANY, most: questionsAtOnce});
  });

  it('cleaning them looks through all of them only to begin with, and ends some at a time', async () => {
    insertMany();
    const results = await cleanVms(contextWith(), {selection: all, keepPersist: false}, () => {});
    expect(results.map(({error}) => error)).toEqual(results.map(() => null));
    expect(store.list().records).toEqual([]);
    expect({calls, most}).toEqual({calls: MANY, most: Math.min(MANY, endingsAtOnce())});
    expect(listings).toBeLessThan(5);
  });

  it('stopping them ends some at a time, and those not begun stay as they are once it is interrupted', async () => {
    insertMany();
    const interrupt = new AbortController();
    let done = 0;
    const results = await stopVms(contextWith({signal: interrupt.signal}), all, () => {
      if (++done === 20) interrupt.abort();
    });
    const stopped = results.filter(({error}) => error === null).length;
    expect(stopped).toBeGreaterThanOrEqual(20);
    expect(stopped).toBeLessThanOrEqual(20 + endingsAtOnce());
    expect(results.filter(({error}) => error?.code === 'INTERRUPTED')).toHaveLength(MANY - stopped);
    expect(store.list().records.filter(({status}) => status === 'ready')).toHaveLength(MANY - stopped);
  });

  it('what killed processes have left of them is ended some at a time', async () => {
    insertMany({status: 'running', owner: other});
    await reap(contextWith());
    expect({calls, most}).toEqual({calls: MANY, most: Math.min(MANY, endingsAtOnce())});
    expect(store.list().records.every(({status}) => status === 'stopped')).toBe(true);
    expect(listings).toBe(1);
  });

  it('each has its own time to say how it is', async () => {
    insertMany({status: 'running', owner: other, socket: '/x'});
    const context = contextWith({isAlive: () => true});
    const {vms} = await listVms(context, {status: null, all: true, labels: {}});
    expect(vms.map(({status}) => status)).toEqual(vms.map(() => 'running'));
    expect({calls, most}).toEqual({calls: MANY, most: questionsAtOnce});
  });
});
