import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeEach, describe, expect, it} from 'vitest';
import {openStore} from '../../src/state/vm-store.js';
import {letGo, takeOver} from '../../src/vm/lifecycle.js';
import {whileOwned} from '../../src/vm/ownership.js';
import {reap} from '../../src/vm/reap.js';
import type {VmContext} from '../../src/vm/vm-context.js';
import {idNumber, someRecord} from '../support/some-records.js';

const folder = mkdtempSync(join(tmpdir(), 'ownership-'));
const store = openStore(join(folder, 'agent.mdb'), process.getuid?.() ?? 0);
const self = {pid: 100, startedAt: 'a'};
const other = {pid: 200, startedAt: 'b'};
const id = idNumber(1);
const ended: string[] = [];

const contextWith = (change: Partial<VmContext> = {}): VmContext =>
  ({
    self,
    store: () => store,
    isAlive: () => false,
    signal: new AbortController().signal,
    paths: {vms: join(folder, 'vms'), persist: join(folder, 'persist')},
    monitors: {tidy: () => {}},
    launcher: () => ({end: async (vm: {id: string}) => void ended.push(vm.id), remove: async () => {}}),
    ...change,
  }) as VmContext;

beforeEach(() => {
  for (const record of store.list().records) store.remove(record.id);
  ended.length = 0;
});
afterAll(async () => {
  await store.database.close();
  rmSync(folder, {recursive: true, force: true});
});

const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')));
  });

describe('work on a VM', () => {
  it('goes on while the VM is ours', async () => {
    store.insert(someRecord({id, status: 'booting', owner: self}));
    expect(await whileOwned(contextWith(), id, async () => 'done')).toBe('done');
  });

  it.each([
    ['stopping', 'was stopped by process 200'],
    ['cleaning', 'was cleaned by process 200'],
  ] as const)('ends once another process is %s it, and lets go', async (status, text) => {
    store.insert(someRecord({id, status: 'running', owner: self}));
    const work = whileOwned(contextWith(), id, ({signal}) => untilAborted(signal));
    store.update(id, (record) => takeOver(record, status, other));
    expect(store.get(id)?.evicted).toEqual([self]);
    await expect(work).rejects.toThrow(text);
    expect(store.get(id)).toMatchObject({status, owner: other, evicted: []});
  });

  it('ends once the VM is gone', async () => {
    store.insert(someRecord({id, status: 'running', owner: self}));
    const work = whileOwned(contextWith(), id, ({signal}) => untilAborted(signal));
    store.remove(id);
    await expect(work).rejects.toThrow('was removed by another process');
  });

  it('keeps its own error where it let go of the VM itself', async () => {
    store.insert(someRecord({id, status: 'running', owner: self}));
    const work = whileOwned(contextWith(), id, async () => {
      store.update(id, (record) => ({...record, status: 'ready', owner: null}));
      throw new Error('its own');
    });
    await expect(work).rejects.toThrow('its own');
  });

  it('says that it was interrupted, whoever took the VM then', async () => {
    store.insert(someRecord({id, status: 'running', owner: self}));
    const interruption = new AbortController();
    const work = whileOwned(contextWith({signal: interruption.signal}), id, ({signal}) =>
      untilAborted(signal),
    );
    interruption.abort();
    store.remove(id);
    await expect(work).rejects.toThrow('aborted');
  });
});

describe('a VM that is taken twice', () => {
  it('is waited for until both have let go', () => {
    const third = {pid: 300, startedAt: 'c'};
    const stopped = takeOver(someRecord({status: 'running', owner: self}), 'stopping', other);
    const cleaned = takeOver(stopped, 'cleaning', third);
    expect(cleaned).toMatchObject({owner: third, evicted: [self, other]});
    expect(letGo(letGo(cleaned, other), self).evicted).toEqual([]);
  });
});

describe('what dead processes have left', () => {
  it('is put in order, and what is temporary is removed', async () => {
    store.insert(someRecord({id, status: 'running', owner: other}));
    store.insert(someRecord({id: idNumber(2), ephemeral: true, status: 'ready', owner: other}));
    store.insert(someRecord({id: idNumber(3), status: 'cleaning', owner: other}));
    store.insert(someRecord({id: idNumber(4), status: 'cleaning', owner: other, persist: true}));
    store.insert(someRecord({id: idNumber(5)}));
    await reap(contextWith());
    expect(store.list().records.map((record) => [record.id, record.status, record.owner])).toEqual([
      [id, 'stopped', null],
      [idNumber(4), 'failed', null],
      [idNumber(5), 'ready', null],
    ]);
    expect(ended).toEqual([1, 2, 3, 4].map(idNumber));
  });

  it('stops nobody’s work where it cannot be removed', async () => {
    store.insert(someRecord({id, status: 'running', owner: other}));
    const broken = {end: () => sleep(1).then(() => Promise.reject(new Error('no')))};
    await reap(contextWith({launcher: () => broken as never}));
    expect(store.list().records).toHaveLength(1);
  });
});
