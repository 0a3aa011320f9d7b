/** Which launcher a new VM gets, and how often a guest is booted to find out. */
import {existsSync, mkdirSync, readFileSync, rmSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {LauncherReport} from '../../src/launcher/launcher.js';
import {jsonLines} from '../support/agent.js';
import {krunvmFolder} from '../support/krunvm.js';
import {failureOf, IMAGE, makeStub, type RunOptions, useKrunvm} from './krunvm-fixture.js';
import {namesIn} from './krunvm-traces.js';

const fixture = useKrunvm();
const {state, run} = fixture;
const calls = join(state.path, 'calls');
const create = ['vm', 'create', '--image', IMAGE];

/** With a krunvm that counts its calls. */
let counting = '';
beforeEach(() => {
  counting ||= makeStub(state, 'krunvm', `echo "$1" >>${calls}; exec ${krunvmFolder}/krunvm "$@"`);
  rmSync(calls, {force: true});
});
afterEach(async () => {
  await run(['vm', 'clean', '--all']);
});

/** A krunvm start is the boot of a guest. */
const startsSince = (): number =>
  existsSync(calls)
    ? readFileSync(calls, 'utf8')
        .split('\n')
        .filter((call) => call === 'start').length
    : 0;

const launcherOf = async (args: readonly string[], options: RunOptions): Promise<unknown> => {
  const {code, stdout, stderr} = await run([...create, ...args], {stubs: counting, ...options});
  expect({code, stderr}).toEqual({code: 0, stderr: ''});
  return jsonLines(stdout.toString())[0]?.launcher;
};

const auto: RunOptions = {env: {AGENT_LAUNCHER: 'auto'}};
/** What was found out is kept per user and boot of the machine: here, a place for each test. */
const place = (name: string): RunOptions => ({env: {...auto.env, XDG_RUNTIME_DIR: makeFolder(name)}});

const makeFolder = (name: string): string => {
  const folder = join(state.path, name);
  mkdirSync(folder, {recursive: true, mode: 0o700});
  return folder;
};

describe('auto', () => {
  it('takes krunvm where it boots a guest, and tries that once', async () => {
    const options = place('booting');
    expect(await launcherOf([], options)).toBe('krunvm');
    expect(startsSince()).toBe(1);
    expect(await launcherOf([], options)).toBe('krunvm');
    expect(startsSince()).toBe(1);
  });

  it('takes qemu where krunvm boots none, and remembers that too', async () => {
    const options = {...place('failing'), faults: {'no-kvm': true}} as const;
    expect(await launcherOf([], options)).toBe('qemu');
    expect(startsSince()).toBe(1);
    expect(await launcherOf([], options)).toBe('qemu');
    expect(startsSince()).toBe(1);
  });

  it('does not try a krunvm that is not installed', async () => {
    const {env} = place('missing');
    const PATH = (process.env.PATH ?? '')
      .split(delimiter)
      .filter((folder) => !namesIn(folder).includes('krunvm'))
      .join(delimiter);
    const {code, stdout} = await run(create, {env: {...env, PATH}});
    expect({code, events: jsonLines(stdout.toString())}).toMatchObject({
      code: 0,
      events: [{launcher: 'qemu'}],
    });
    expect(namesIn(join(state.path, 'missing', 'agent')).filter((name) => name.startsWith('krunvm'))).toEqual(
      [],
    );
  });

  it('leaves a VM with the launcher that made it', async () => {
    const options = {stubs: counting, env: {AGENT_LAUNCHER: 'krunvm'}};
    const id = await fixture.create([], options);
    const result = await fixture.exec(id, 'echo works', {stubs: counting, env: {AGENT_LAUNCHER: 'qemu'}});
    expect({code: result.code, launcher: result.events[0]?.launcher}).toEqual({code: 0, launcher: 'krunvm'});
    expect(startsSince()).toBe(1);
  });
});

describe('a launcher that is asked for', () => {
  it.each([
    ['krunvm', ['--launcher', 'krunvm'], 'qemu'],
    ['qemu', ['--launcher', 'qemu'], 'krunvm'],
  ])('%s is taken with %j and AGENT_LAUNCHER=%s, and nothing is tried', async (launcher, args, variable) => {
    expect(await launcherOf(args, {env: {AGENT_LAUNCHER: variable}})).toBe(launcher);
    expect(startsSince()).toBe(0);
  });

  it.each([
    [['--launcher', 'xen'], 'auto'],
    [[], 'xen'],
  ])('that does not exist is refused: %j, AGENT_LAUNCHER=%s', async (args, variable) => {
    const result = await run([...create, ...args], {env: {AGENT_LAUNCHER: variable}});
    expect({code: result.code, stdout: result.stdout.toString()}).toEqual({code: 2, stdout: ''});
    expect(failureOf(result)).toMatchObject({code: 'USAGE', message: expect.stringContaining('xen')});
  });
});

it('doctor shows what both need, and tries each anew', async () => {
  const {env = {}} = place('booting');
  const {code, stdout} = await run(['doctor', '--json'], {stubs: counting, env});
  const {launchers} = JSON.parse(stdout.toString()) as {launchers: LauncherReport[]};
  const [krunvm, qemu] = launchers;
  const subjects = (report: LauncherReport | undefined) => report?.findings.map(({subject}) => subject);
  expect({code, names: launchers.map(({launcher}) => launcher)}).toEqual({
    code: 0,
    names: ['krunvm', 'qemu'],
  });
  expect(subjects(krunvm)).toEqual([
    'buildah',
    'krunvm',
    'libkrun',
    '/dev/kvm',
    'no network for --network none',
    'boot with krunvm',
  ]);
  expect(krunvm?.findings[1]).toEqual({ok: true, subject: 'krunvm', seen: '0.2.6'});
  expect({usable: krunvm?.usable, starts: startsSince()}).toEqual({usable: true, starts: 1});
  expect(subjects(qemu)?.at(-1)).toMatch(/^boot with /);
});
