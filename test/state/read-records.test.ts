/** VMs are listed without LMDB, and just as with it. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync, truncateSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, describe, expect, it} from 'vitest';
import type {VmRecord} from '../../src/model/vm-record.js';
import {readRecords} from '../../src/state/read-records.js';
import {openStore, openStoreToRead, type VmStore} from '../../src/state/vm-store.js';
import {idNumber, someRecord} from '../support/some-records.js';

const root = mkdtempSync(join(tmpdir(), 'records-'));
const opened: VmStore[] = [];
const newStore = (): {store: VmStore; path: string} => {
  const path = join(root, String(opened.length), 'agent.mdb');
  const store = openStore(path, process.getuid?.() ?? 0);
  opened.push(store);
  return {store, path};
};
afterAll(async () => {
  for (const {database} of opened) await database.close();
  rmSync(root, {recursive: true, force: true});
});

/** Made at few different times, some with names, and some so long that they lie in pages of their own. */
const manyKinds = (n: number): VmRecord =>
  someRecord({
    id: idNumber(n),
    name: n % 3 ? null : `vm${n}`,
    createdAt: new Date(1_000_000 * (n % 7)).toISOString(),
    env: [`TEXT=${'x'.repeat(n % 10 === 0 ? 9_000 : n)}`],
  });

describe('the records, read without LMDB', () => {
  it('are those that LMDB has, in the same order, through many changes', () => {
    const {store, path} = newStore();
    for (let n = 0; n < 120; n++) {
      store.insert(manyKinds(n));
      if (n % 4 === 0) store.remove(idNumber(n / 2));
      if (n % 5 === 0) expect(readRecords(path)).toEqual(store.list());
    }
    store.database.putSync('lock/image', {pid: 1, startedAt: 'x'});
    store.database.putSync(`vm/${idNumber(500)}`, {...someRecord(), schema: 2});
    const {records, broken} = store.list();
    expect([records.length, broken.length]).toEqual([90, 1]);
    expect(readRecords(path)).toEqual({records, broken});
  });

  it('are left to LMDB where one is not as we write them', () => {
    const {store, path} = newStore();
    store.insert(someRecord());
    store.database.putSync(`vm/${idNumber(1)}`, {...someRecord({id: idNumber(1)}), createdAt: new Date(0)});
    expect(readRecords(path)).toBeUndefined();
    expect(openStoreToRead(path, process.getuid?.() ?? 0)?.list()).toEqual(store.list());
    expect(store.list()).toMatchObject({records: [{id: idNumber(0)}], broken: [{id: idNumber(1)}]});
  });

  it('are left to LMDB where the file is empty, damaged or not there', () => {
    const {path} = newStore();
    for (const length of [4096, 100, 0]) {
      truncateSync(path, length);
      expect(readRecords(path)).toBeUndefined();
    }
    expect(readRecords(join(root, 'nothing'))).toBeUndefined();
  });

  it('are whole while others write', async () => {
    const {store, path} = newStore();
    for (let n = 0; n < 60; n++) store.insert(someRecord({id: idNumber(n), cpus: 1}));
    const contender = fileURLToPath(new URL('contender.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', contender, path, 'count', '1500'], {
      stdio: 'inherit',
    });
    const ended = once(child, 'exit');
    let [most, read] = [1, 0];
    while (child.exitCode === null && child.signalCode === null) {
      const list = readRecords(path);
      if (list) {
        expect([list.records.length, list.broken.length]).toEqual([60, 0]);
        const cpus = list.records[0]?.cpus ?? 0;
        expect(cpus).toBeGreaterThanOrEqual(most);
        [most, read] = [cpus, read + 1];
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await ended).toEqual([0, null]);
    expect(read).toBeGreaterThan(20);
    expect(readRecords(path)?.records[0]?.cpus).toBe(1501);
  });
});
