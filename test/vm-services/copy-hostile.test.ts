import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {Guest} from '../../src/guest/guest.js';
import {TransferError} from '../../src/guest/transfer-error.js';
import {archive, type Entry} from '../guest/archives.js';
import {describeTree} from '../support/trees.js';
import {copyWith} from './copy-guest.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-hostile-copy-'));
  mkdirSync(join(folder, 'there'));
  writeFileSync(join(folder, 'there/victim'), 'untouched');
});
afterEach(() => rmSync(folder, {recursive: true}));

const failing = (errno: number): Readable =>
  new Readable({
    read() {
      this.destroy(new TransferError('no', errno, []));
    },
  });

/** A guest that says what it likes: what its probe answers, and what it sends when it is asked for files. */
const guestThat = ({probes, sends}: {probes: () => Readable; sends: () => Readable}): Guest => {
  const get: Guest['get'] = (_path, {maxEntries}) => (maxEntries === 0 ? probes() : sends());
  return {get} as Partial<Guest> as Guest;
};

const folderOf = (...entries: Entry[]): Guest =>
  guestThat({probes: () => failing(7), sends: () => archive(...entries)});
const fileOf = (...entries: Entry[]): Guest =>
  guestThat({probes: () => failing(20), sends: () => archive(...entries)});

const expectRefused = async (guest: Guest, target: string, code: string): Promise<void> => {
  const before = describeTree(folder);
  const words = ['vm:/f', target === '-' ? '-' : join(folder, target)];
  await expect(copyWith(guest, words)).rejects.toMatchObject({code});
  expect(describeTree(folder)).toEqual(before);
};

describe('a guest that lies about what is copied', () => {
  it.each(['there', 'new', '-'])('writes nowhere but in %s', async (target) => {
    for (const name of ['/etc/evil', '../evil', 'a/../../evil']) {
      await expectRefused(folderOf({name}), target, 'GUEST_PROTOCOL');
    }
  });

  it('gives a file no name of its own', async () => {
    await copyWith(fileOf({name: '../../evil', content: 'x'}), ['vm:/f', join(folder, 'there')]);
    expect(Object.keys(describeTree(folder))).toEqual(['there', 'there/f', 'there/victim']);
  });

  it.each(['there', 'new', '-'])('cannot send other than one file to %s', async (target) => {
    await expectRefused(fileOf(), target, 'GUEST_PROTOCOL');
    await expectRefused(fileOf({name: 'd/', type: '5'}), target, 'GUEST_PROTOCOL');
    await expectRefused(fileOf({name: 'l', type: '2', target: '/etc/passwd'}), target, 'GUEST_PROTOCOL');
  });

  it.each(['there', 'new'])('cannot send a second file to %s', async (target) => {
    await expectRefused(fileOf({name: 'a'}, {name: 'b'}), target, 'GUEST_PROTOCOL');
  });

  it('cannot set more than permissions, nor shut us out', async () => {
    const tree = [
      {name: './', type: '5', mode: 0o7000},
      {name: 'f', mode: 0o6755},
      {name: 'd/', type: '5', mode: 0},
    ];
    await copyWith(folderOf(...tree), ['vm:/f', join(folder, 'new')]);
    const {new: top, 'new/d': below, 'new/f': file} = describeTree(folder);
    expect([top, below, file?.slice(0, 4)]).toEqual(['0700', '0700', '0755']);
  });

  it('cannot answer a question with a flood', async () => {
    const endless = () =>
      Readable.from(
        (function* () {
          for (;;) yield Buffer.alloc(65_536);
        })(),
        {objectMode: false},
      );
    await expectRefused(guestThat({probes: endless, sends: endless}), 'new', 'GUEST_PROTOCOL');
  });

  it('cannot say that a file is larger than its bound', async () => {
    await expectRefused(fileOf({name: 'f', size: 50_000_001}), 'new', 'GUEST_FAILED');
    await expectRefused(fileOf({name: 'f', size: 50_000_001}), '-', 'GUEST_FAILED');
    await expectRefused(folderOf({name: 'f', size: 50_000_001}), '-', 'GUEST_FAILED');
  });

  it('cannot send an archive without end as a folder', async () => {
    const many = Array.from({length: 1002}, (_, at) => ({name: `f${at}`}));
    await expectRefused(folderOf(...many), '-', 'GUEST_FAILED');
    await expectRefused(folderOf(...many), 'there', 'GUEST_FAILED');
  });
});
