/** What lmdb-js writes is read as lmdb-js reads it; whatever else there may be is refused. */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {decode} from '../../src/state/msgpack.js';
import {openStore} from '../../src/state/vm-store.js';
import {someRecord} from '../support/some-records.js';
import {randomSource} from './random-source.js';

const folder = mkdtempSync(join(tmpdir(), 'msgpack-'));
const {database} = openStore(join(folder, 'agent.mdb'), process.getuid?.() ?? 0);
afterAll(async () => {
  await database.close();
  rmSync(folder, {recursive: true, force: true});
});

const encode = (value: unknown): Buffer => {
  database.putSync('value', value);
  return Buffer.from(database.getBinary('value') ?? []);
};

const random = randomSource(7);

const someValue = (depth: number): unknown => {
  const text = (length: number): string => 'aä漢😀'.repeat(length).slice(0, random(length + 1));
  const numbers = [
    0,
    63,
    64,
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    2 ** 32 - 1,
    2 ** 32,
    -1,
    -32,
    -33,
    -129,
    -32_769,
  ];
  const makers = [
    () => null,
    () => undefined,
    () => random(2) === 0,
    () => numbers[random(numbers.length)],
    () => random(1_000_000) / 7,
    () => text([3, 31, 32, 255, 256, 70_000][random(6)] ?? 0),
    () => Array.from({length: random(20)}, () => someValue(depth + 1)),
    () => Object.fromEntries(Array.from({length: random(6)}, (_, n) => [`field${n}`, someValue(depth + 1)])),
  ];
  return makers[random(depth < 4 ? makers.length : makers.length - 2)]?.();
};

describe('a value that lmdb-js wrote', () => {
  it('is read as lmdb-js reads it', () => {
    let read = 0;
    for (let n = 0; n < 500; n++) {
      const bytes = encode(someValue(0));
      const decoded = tryDecode(bytes);
      if (decoded === refused) continue;
      expect(decoded).toEqual(database.get('value'));
      read++;
    }
    expect(read).toBeGreaterThan(300);
  });

  it('is read where it is a record', () => {
    const processes = [1, 2, 3].map((pid) => ({pid, startedAt: 'ä'}));
    for (const record of [
      someRecord(),
      someRecord({labels: {a: 'b'}, evicted: processes, owner: processes[0] ?? null}),
    ])
      expect(decode(encode(record))).toEqual(record);
  });
});

const refused = Symbol('refused');
const tryDecode = (bytes: Buffer): unknown => {
  try {
    return decode(bytes);
  } catch {
    return refused;
  }
};

describe('what we do not write', () => {
  it.each([
    ['a date', new Date(0)],
    ['a large integer', 2n ** 60n],
    ['bytes', Buffer.from('abc')],
    ['a map', new Map([[1, 2]])],
    ['a name that JavaScript has a use for', JSON.parse('{"__proto__": {"polluted": true}}')],
  ])('is refused: %s', (_, value) => {
    expect(() => decode(encode({value}))).toThrow(RangeError);
  });

  it('is refused where it was cut short or has something behind it', () => {
    const bytes = encode(someRecord());
    for (let length = 0; length < bytes.length; length++)
      expect(() => decode(bytes.subarray(0, length))).toThrow(RangeError);
    expect(() => decode(Buffer.concat([bytes, Buffer.from([0])]))).toThrow(RangeError);
  });
});
