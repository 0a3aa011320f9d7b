import {mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import type {ProcessRef} from '../../src/model/vm-record.js';
import {type Mark, markOf} from '../../src/template-maker/mark.js';
import type {MakerOrder} from '../../src/template-maker/order.js';

const order: MakerOrder = {
  launcher: 'qemu',
  digest: `sha256:${'a'.repeat(64)}`,
  cpus: 1,
  memoryMib: 256,
  network: 'none',
  language: null,
};
const alive = {pid: 100, startedAt: 'a'};
const dead = {pid: 200, startedAt: 'b'};

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mark-'));
});
afterEach(() => rmSync(folder, {recursive: true, force: true}));

const mark = (change: Partial<MakerOrder> = {}, stateFolder = '/state'): Mark =>
  markOf(
    {stateFolder, runtimeFolder: join(folder, 'run')},
    {...order, ...change},
    (ref: ProcessRef) => ref.pid === alive.pid,
  );
const file = (): string => join(folder, 'run', readdirSync(join(folder, 'run'))[0] ?? '');

it('is free at first, and makes nothing by being asked', () => {
  expect(mark().isFree()).toBe(true);
  expect(readdirSync(folder)).toEqual([]);
});

it('is taken by whoever claims it first, and by nobody else as long as that process lives', () => {
  expect(mark().claim(alive)).toBe(true);
  expect(mark().isFree()).toBe(false);
  expect(mark().claim(alive)).toBe(false);
});

it('is free again when whoever was at work has died', () => {
  expect(mark().claim(alive)).toBe(true);
  mark().pass(alive, dead);
  expect(mark().isFree()).toBe(true);
  expect(mark().claim(alive)).toBe(true);
});

it('is free again when whoever was to work on it had ended at once, unless that had failed', () => {
  expect(mark().claim(alive)).toBe(true);
  mark().pass(alive, undefined);
  expect(mark().isFree()).toBe(true);
  expect(mark().claim(alive)).toBe(true);
  mark().fail('no space');
  mark().pass(alive, undefined);
  expect(mark().isFree()).toBe(false);
});

it('is free again when the work is done', () => {
  mark().claim(alive);
  mark().remove();
  expect(mark().isFree()).toBe(true);
  expect(readdirSync(join(folder, 'run'))).toEqual([]);
});

it('keeps a failure for a while', () => {
  mark().claim(dead);
  mark().fail('no space');
  expect(mark().claim(alive)).toBe(false);
  const longAgo = new Date(Date.now() - 3_600_000);
  utimesSync(file(), longAgo, longAgo);
  expect(mark().claim(alive)).toBe(true);
});

it.each(['', '{', 'null', '{"maker":null}'])(
  'does not keep anybody away for long that holds %j',
  (content) => {
    mark().claim(dead);
    writeFileSync(file(), content);
    const longAgo = new Date(Date.now() - 3_600_000);
    utimesSync(file(), longAgo, longAgo);
    expect(mark().claim(alive)).toBe(true);
  },
);

it('lets one template be made at a time in each state directory', () => {
  mark().claim(alive);
  expect(mark({cpus: 2}).claim(alive)).toBe(false);
  expect(mark({language: 'python'}).isFree()).toBe(false);
  expect(mark({}, '/other').isFree()).toBe(true);
  mark().remove();
  expect(mark({cpus: 2}).isFree()).toBe(true);
});

it('keeps failures for each kind of VM and each state directory, whatever the language', () => {
  mark().claim(alive);
  mark().fail('no space');
  expect(mark({language: 'python'}).isFree()).toBe(false);
  expect(mark({cpus: 2}).isFree()).toBe(true);
  expect(mark({memoryMib: 512}).isFree()).toBe(true);
  expect(mark({network: 'allow_all'}).isFree()).toBe(true);
  expect(mark({digest: `sha256:${'b'.repeat(64)}`}).isFree()).toBe(true);
  expect(mark({}, '/other').isFree()).toBe(true);
});
