import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import type {Launcher, Templates} from '../../src/launcher/launcher.js';
import type {TemplateMode} from '../../src/model/template-mode.js';
import {identifyProcess} from '../../src/process/identity.js';
import {createTemplateUse} from '../../src/template-maker/create-template-use.js';
import {type MakerProgram, startMaker} from '../../src/template-maker/start-maker.js';
import {until} from '../support/until.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'maker-'));
});
afterEach(() => rmSync(folder, {recursive: true, force: true}));

const image = {
  digest: `sha256:${'a'.repeat(64)}`,
  references: [],
  rootfsPath: null,
  sizeBytes: 0,
  architecture: 'x64',
  config: {env: [], workdir: '/', user: ''},
  createdAt: '2026-01-01T00:00:00Z',
};
const {digest} = image;
const kind = {cpus: 1, memoryMib: 256, network: 'none'} as const;
const order = {launcher: 'qemu', digest, ...kind, language: 'python'} as const;

/** Writes down its arguments, complains, and stays until `end` is there. */
const SCRIPT = 'echo "$@" >> "$OUT/started"; echo trouble >&2; until [ -e "$OUT/end" ]; do sleep 0.05; done';

const program = (): MakerProgram => ({
  stateFolder: folder,
  runtimeFolder: join(folder, 'run'),
  templatesFolder: join(folder, 'templates'),
  command: ['/bin/sh', '-c', SCRIPT, 'sh'],
  env: {PATH: process.env.PATH, OUT: folder},
  self: identifyProcess(process.pid) ?? {pid: process.pid, startedAt: ''},
});

const starts = (): string[] => {
  const path = join(folder, 'started');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
};
const makerPid = (): number => {
  const [name = ''] = readdirSync(join(folder, 'run'));
  return JSON.parse(readFileSync(join(folder, 'run', name), 'utf8')).pid;
};
const endIt = async (): Promise<void> => {
  const pid = makerPid();
  expect(pid).not.toBe(process.pid);
  writeFileSync(join(folder, 'end'), '');
  await until('it ends', () => identifyProcess(pid) === undefined);
};

it('is started with the order, once however often it is asked for, and its words go to a log', async () => {
  await startMaker(program(), order);
  await startMaker(program(), order);
  await until('it starts', () => starts().length > 0);
  expect(starts()).toEqual([`qemu ${digest} 1 256 none python`]);
  const log = join(folder, 'templates', 'make.log');
  await until('it speaks', () => readFileSync(log, 'utf8') !== '');
  await endIt();
  expect(readFileSync(log, 'utf8')).toBe('trouble\n');
  await startMaker(program(), order);
  await until('it starts again', () => starts().length === 2);
});

const useOf = (templates: Templates | null, mode: TemplateMode = 'auto') =>
  createTemplateUse({
    ...program(),
    mode,
    launcher: () => ({templates: async () => templates}) as unknown as Launcher,
  });
const noTemplates = {} as Templates;
const wanted = {launcher: 'qemu', language: null, spec: {image, ...kind}} as const;

it('is what is used later, where the launcher has templates', async () => {
  useOf(noTemplates).makeLater(wanted);
  await until('it starts', () => starts().length > 0);
  expect(starts()).toEqual([`qemu ${digest} 1 256 none`]);
  await endIt();
});

it('is never started for a launcher without templates', async () => {
  useOf(null).makeLater(wanted);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(readdirSync(folder)).toEqual([]);
});

it('is in use unless it is switched off', () => {
  expect([useOf(null).isOn, useOf(null, 'off').isOn]).toEqual([true, false]);
});

it('does no harm where it cannot be started', async () => {
  const use = createTemplateUse({
    ...program(),
    command: [join(folder, 'missing')],
    mode: 'auto',
    launcher: () => ({templates: async () => noTemplates}) as unknown as Launcher,
  });
  use.makeLater(wanted);
  await until('it was tried', () => existsSync(join(folder, 'templates', 'make.log')));
  await until('it is left to others', () => readdirSync(join(folder, 'run')).length === 0);
  expect(starts()).toEqual([]);
});
