import {existsSync, mkdtempSync, readdirSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {openStore, openStoreToRead, type VmStore} from '../../src/state/vm-store.js';
import {someRecord} from '../support/some-records.js';

const root = mkdtempSync(join(tmpdir(), 'store-'));
const opened: VmStore[] = [];
let count = 0;

const newStore = (): {store: VmStore; path: string} => {
  const path = join(root, String(count++), 'agent.mdb');
  const store = openStore(path, process.getuid?.() ?? 0);
  opened.push(store);
  return {store, path};
};

afterAll(async () => {
  for (const {database} of opened) await database.close();
  rmSync(root, {recursive: true, force: true});
});

const first = someRecord({id: 'python-00000001', createdAt: '2026-01-01T00:00:00.000Z'});
const second = someRecord({id: 'node-00000002', name: 'web', createdAt: '2026-01-02T00:00:00.000Z'});

describe('the store', () => {
  it('is private to its owner', () => {
    const {path} = newStore();
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
    for (const file of [path, `${path}-lock`]) expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('has room for as many processes as there may be VMs, each with its monitor', () => {
    const {store, path} = newStore();
    expect(store.database.getStats()).toMatchObject({maxReaders: 4096});
    expect(statSync(`${path}-lock`).blocks * 512).toBeLessThan(64 * 1024);
  });

  it('lists what was inserted, the oldest first', () => {
    const {store} = newStore();
    store.insert(second);
    store.insert(first);
    expect(store.list()).toEqual({records: [first, second], broken: []});
    expect(store.get(first.id)).toEqual(first);
    expect(store.get('python-zzzzzzzz')).toBeUndefined();
  });

  it('changes a record by what it is now', () => {
    const {store} = newStore();
    store.insert(first);
    expect(store.update(first.id, (record) => ({...record, cpus: record.cpus + 1}))?.cpus).toBe(2);
    expect(store.get(first.id)?.cpus).toBe(2);
    expect(store.update('python-zzzzzzzz', (record) => record)).toBeUndefined();
  });

  it('writes nothing where the change is refused', () => {
    const {store} = newStore();
    store.insert(first);
    const refuse = (): never => {
      throw new Error('no');
    };
    expect(() => store.update(first.id, refuse)).toThrow('no');
    expect(store.get(first.id)).toEqual(first);
  });

  it('removes, and what is gone already is success', () => {
    const {store} = newStore();
    store.insert(first);
    store.remove(first.id);
    store.remove(first.id);
    expect(store.list().records).toEqual([]);
  });

  it('refuses a name that is taken, as a name or as an id', () => {
    const {store} = newStore();
    store.insert(second);
    for (const name of ['web', second.id]) {
      expect(() => store.insert(someRecord({id: 'ruby-00000003', name}))).toThrow(
        expect.objectContaining({code: 'VM_NAME_TAKEN'}),
      );
    }
    store.insert(someRecord({id: 'ruby-00000003', name: 'db'}));
    expect(store.list().records).toHaveLength(2);
  });

  it.each([
    ['of another version', {...second, schema: 2}, /^schema/],
    ['without a status', {...second, status: undefined}, /^status/],
    ['that is no record', 'text', /^record/],
    ['of another VM', {...second, id: 'node-99999999'}, /^id/],
  ])('reports a record %s, and hides no other', (_, value, reason) => {
    const {store} = newStore();
    store.insert(first);
    store.database.putSync(`vm/${second.id}`, value);
    const {records, broken} = store.list();
    expect(records).toEqual([first]);
    expect(broken).toEqual([{id: second.id, reason: expect.stringMatching(reason)}]);
    expect(() => store.get(second.id)).toThrow(expect.objectContaining({code: 'STATE_CORRUPT'}));
    store.remove(second.id);
    expect(store.list()).toEqual({records: [first], broken: []});
  });
});

describe('the store, opened to read', () => {
  it('makes nothing', () => {
    const folder = join(root, 'nothing');
    expect(openStoreToRead(join(folder, 'agent.mdb'), 0)).toBeUndefined();
    expect(existsSync(folder)).toBe(false);
  });

  it('shows what another process has written', async () => {
    const {store, path} = newStore();
    store.insert(first);
    await store.database.close();
    opened.pop();
    const before = readdirSync(join(path, '..'));
    const reader = openStoreToRead(path, 0);
    expect(reader?.list().records).toEqual([first]);
    expect(readdirSync(join(path, '..'))).toEqual(before);
  });
});
