import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {parseRecord} from '../../src/state/schema.js';
import {openStore, type VmStore} from '../../src/state/vm-store.js';
import {idNumber, someRecord} from '../support/some-records.js';

let folder = '';
let store: VmStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-volumes-'));
  store = openStore(join(folder, 'agent.mdb'), process.getuid?.() ?? 0);
});
afterEach(async () => {
  await store.database.close();
  rmSync(folder, {recursive: true});
});

const withVolume = (number: number, volume: string | null) =>
  someRecord({id: idNumber(number), persist: volume !== null, volume});
const taken = {code: 'VM_BUSY', message: `The volume 'data' belongs to VM '${idNumber(1)}'.`};

describe('a volume', () => {
  it('is of one VM at a time, until that is gone', () => {
    store.insert(withVolume(1, 'data'));
    expect(() => store.insert(withVolume(2, 'data'))).toThrow(expect.objectContaining(taken));
    store.insert(withVolume(2, 'other'));
    store.insert(withVolume(3, null));
    store.insert(withVolume(4, null));
    expect(store.list().records).toHaveLength(4);
    store.remove(idNumber(1));
    store.insert(withVolume(5, 'data'));
  });

  it('is free for work only while no VM has it', () => {
    const done: string[] = [];
    store.whileFree('data', () => done.push('free'));
    store.insert(withVolume(1, 'data'));
    expect(() => store.whileFree('data', () => done.push('held'))).toThrow(expect.objectContaining(taken));
    expect(done).toEqual(['free']);
    const failing = (): void => {
      throw new Error('the work failed');
    };
    expect(() => store.whileFree('other', failing)).toThrow('the work failed');
  });

  it('of a VM from before there were names has that of its VM', () => {
    const {volume: _, diskMib: __, ...old} = someRecord({persist: true});
    expect(parseRecord(old)).toMatchObject({volume: old.id, diskMib: null});
    expect(parseRecord({...old, persist: false})).toMatchObject({volume: null});
    expect(parseRecord({...old, volume: 'data'})).toMatchObject({volume: 'data'});
  });
});
