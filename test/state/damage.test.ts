/** A damaged database gets an error of ours; LMDB itself would end the process with a signal. */
import {spawn} from 'node:child_process';
import {mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {checkDatabaseFile} from '../../src/state/check-file.js';
import {openStore, openStoreToRead} from '../../src/state/vm-store.js';
import {idNumber, someRecord} from '../support/some-records.js';
import {randomSource} from './random-source.js';

const folder = mkdtempSync(join(tmpdir(), 'damage-'));
const sound = join(folder, 'sound.mdb');
const VMS = 20;
const PAGE = 4096;
let content: Buffer;

// Branch pages, long values in pages of their own, and free pages: all that a database of ours may consist of.
beforeAll(async () => {
  const store = openStore(sound, 0);
  for (let n = 0; n < 2 * VMS; n++) {
    store.insert(someRecord({id: idNumber(n), env: [`TEXT=${'x'.repeat(n % 10 === 0 ? 9_000 : 100)}`]}));
  }
  for (let n = 0; n < VMS; n++) store.remove(idNumber(2 * n + 1));
  for (let n = 0; n < VMS; n++) store.update(idNumber(2 * n), (record) => ({...record, name: `vm${n}`}));
  await store.database.close();
  content = readFileSync(sound);
});
afterAll(() => rmSync(folder, {recursive: true, force: true}));

let count = 0;
const damaged = (change: (bytes: Buffer) => Buffer): string => {
  const path = join(folder, `${count++}.mdb`);
  writeFileSync(path, change(Buffer.from(content)));
  return path;
};

const randomBytes = (length: number): Buffer => {
  const random = randomSource(1);
  return Buffer.from(Array.from({length}, () => random(256)));
};

const overwrite = (bytes: Buffer, page: number): Buffer => {
  randomBytes(PAGE).copy(bytes, page * PAGE);
  return bytes;
};

/** A page of the main tree that is not its root: an overwritten one makes LMDB read anywhere. */
const leafPage = (bytes: Buffer): number => {
  const newest = bytes.readBigUInt64LE(152) > bytes.readBigUInt64LE(PAGE + 152) ? 0 : PAGE;
  const root = Number(bytes.readBigUInt64LE(newest + 136));
  const firstNode = root * PAGE + 24 + bytes.readUInt16LE(root * PAGE + 24);
  return bytes.readUInt32LE(firstNode);
};

describe('a database', () => {
  it('passes where it is sound', () => {
    expect(() => checkDatabaseFile(sound)).not.toThrow();
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['that is random bytes', () => randomBytes(8_192)],
    ['that is text', () => Buffer.from('not a database\n')],
    ['that was cut to one page', (bytes) => bytes.subarray(0, PAGE)],
    ['that was cut to its two meta pages', (bytes) => bytes.subarray(0, 2 * PAGE)],
    ['that was cut to its half', (bytes) => bytes.subarray(0, bytes.length / 2)],
    ['that lost its last byte', (bytes) => bytes.subarray(0, bytes.length - 1)],
    ['with its first meta page overwritten', (bytes) => overwrite(bytes, 0)],
    ['with its second meta page overwritten', (bytes) => overwrite(bytes, 1)],
    ['with zeros for its meta pages', (bytes) => bytes.fill(0, 0, 2 * PAGE)],
    ['with an inner page overwritten', (bytes) => overwrite(bytes, leafPage(bytes))],
    [
      'with zeros for an inner page',
      (bytes) => bytes.fill(0, leafPage(bytes) * PAGE, (leafPage(bytes) + 1) * PAGE),
    ],
  ])('%s is refused, and stays as it is', (_, change) => {
    const path = damaged(change);
    const before = readFileSync(path);
    for (const open of [openStore, openStoreToRead]) {
      expect(() => open(path, 0)?.list()).toThrow(
        expect.objectContaining({
          code: 'STATE_CORRUPT',
          message: expect.stringContaining(path),
          hints: expect.arrayContaining([expect.stringContaining('mv ')]),
        }),
      );
    }
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('without a byte is a new one', async () => {
    const store = openStore(
      damaged(() => Buffer.alloc(0)),
      0,
    );
    expect(store.list()).toEqual({records: [], broken: []});
    await store.database.close();
  });

  it('that is a folder is refused', () => {
    const path = join(folder, 'folder.mdb');
    mkdirSync(path);
    for (const open of [openStore, openStoreToRead]) {
      expect(() => open(path, 0)?.list()).toThrow(expect.objectContaining({code: 'STATE_UNUSABLE'}));
    }
  });

  it('may lack pages that nobody uses', () => {
    const path = damaged((bytes) => Buffer.concat([bytes, Buffer.alloc(PAGE)]));
    truncateSync(path, content.length);
    expect(() => checkDatabaseFile(path)).not.toThrow();
  });
});

interface Outcome {
  readonly seed: number;
  readonly what?: string;
  readonly read?: string;
  readonly write?: string;
}

const useDamaged = async (
  from: number,
  to: number,
): Promise<{signal: string | null; outcomes: Outcome[]}> => {
  const script = fileURLToPath(new URL('damage-child.ts', import.meta.url));
  const args = ['--import', 'tsx', script, sound, folder, String(from), String(to)];
  const child = spawn(process.execPath, args, {stdio: ['ignore', 'pipe', 'inherit']});
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const signal = await new Promise<string | null>((resolve) => child.once('close', (_, how) => resolve(how)));
  return {
    signal,
    outcomes: said
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Outcome),
  };
};

describe('a database with other bytes somewhere', () => {
  it('ends no process with a signal and hides no VM', async () => {
    const {signal, outcomes} = await useDamaged(0, 100);
    expect({signal, last: outcomes.at(-1)}).toMatchObject({signal: null, last: {seed: 99}});
    for (const {read, write} of outcomes.filter((outcome) => outcome.what === undefined)) {
      for (const outcome of [read, write]) expect(outcome).toSatisfy(isHonest);
    }
  }, 60_000);
});

/** Either it is refused, or all VMs are there, be it that some cannot be read. */
const isHonest = (outcome: unknown): boolean => {
  const [, records, broken] = /^(\d+) and (\d+) broken$/.exec(String(outcome)) ?? [];
  return outcome === 'STATE_CORRUPT' || Number(records) + Number(broken) === VMS;
};
