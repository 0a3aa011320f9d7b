/** What krunvm does wrong while it starts a VM or runs one: told from what the guest does, and never more than one run lost. */
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {beforeAll, describe, expect, it} from 'vitest';
import {guestAgentPath} from '../../src/context.js';
import {architectureOf} from '../../src/launcher/common/host.js';
import {start} from '../../src/launcher/krunvm/boot.js';
import {prepareKrunHost} from '../../src/launcher/krunvm/krun-host.js';
import {endProcess} from '../support/end-process.js';
import {guestStderr} from '../support/guest-stderr.js';
import {krunvmFolder} from '../support/krunvm.js';
import {failureOf, makeStub, useKrunvm} from './krunvm-fixture.js';
import {until} from './krunvm-process.js';
import {doublesOf, krunvmByHand, processesOf} from './krunvm-traces.js';

const fixture = useKrunvm();
const {state, exec, stop, begin} = fixture;
let id = '';
beforeAll(async () => {
  id = await fixture.create();
});

describe('an exit code that krunvm has too', () => {
  it.each([101, 255])("is the guest's where the guest ended with it: %d", async (code) => {
    const result = await exec(id, `echo out; echo err >&2; exit ${code}`);
    expect({code: result.code, stdout: result.stdout.toString()}).toEqual({code, stdout: 'out\n'});
    expect(guestStderr(result)).toBe('err\n');
    expect(result.events[0]).toMatchObject({origin: 'guest', exit_code: code});
  });

  it.each([
    [255, {'lock-held': true}, 'VM_BUSY', "Couldn't acquire lock file. Is another instance of this VM"],
    [134, {'no-kvm': true}, 'LAUNCHER_UNAVAILABLE', 'Error creating the Kvm object'],
    [127, {'missing-libkrun': true}, 'LAUNCHER_UNAVAILABLE', 'libkrun.so.1: cannot open shared object file'],
    [0, {reboot: true}, 'BOOT_FAILED', 'krunvm ended with exit code 0'],
  ] as const)("is krunvm's where krunvm ended with it: %d", async (krunvmCode, faults, code, words) => {
    await stop(id);
    const faulty = {state, environment: () => fixture.environment({faults})};
    const byHand = krunvmByHand(faulty, id, ['start', id, '/.agent']);
    expect(byHand.status).toBe(krunvmCode);
    const result = await exec(id, 'true', {faults});
    expect({code: result.code, stdout: result.stdout.toString()}).toEqual({code: 125, stdout: ''});
    const {details, ...failure} = failureOf(result);
    expect(failure).toMatchObject({message: 'vm exec failed', code, origin: 'agent', exit_code: 125});
    expect(failure.hint).toEqual(expect.any(String));
    expect(details).toEqual(expect.arrayContaining([expect.stringContaining(words)]));
  });

  it('comes with what krunvm said', async () => {
    const words = "Couldn't find or load libkrunfw.so.4";
    const script = `[ "$1" = start ] || exec ${krunvmFolder}/krunvm "$@"; echo "${words}"; exit 255`;
    const result = await exec(id, 'true', {stubs: makeStub(state, 'krunvm', script)});
    expect(result.code).toBe(125);
    expect(failureOf(result)).toMatchObject({
      error: expect.stringContaining('krunvm does not find libkrunfw'),
      details: [words, 'krunvm ended with exit code 255'],
    });
  });
});

it('takes nothing that krunvm itself says for words of the guest', async () => {
  const result = await exec(id, 'printf "\\0\\1\\2krunvm\\n"', {faults: {noise: true}});
  expect({code: result.code, stdout: [...result.stdout]}).toEqual({
    code: 0,
    stdout: [0, 1, 2, ...Buffer.from('krunvm\n')],
  });
});

describe('a krunvm that never speaks', () => {
  beforeAll(async () => {
    await stop(id);
  });

  it('is ended at the deadline', async () => {
    const host = await prepareKrunHost({
      registriesFolder: join(state.path, 'krunvm'),
      containersFolder: join(state.path, 'containers'),
      runtimeFolder: join(state.path, 'run'),
      guestAgentPath,
      env: {...process.env, ...fixture.environment({faults: {silent: true}})},
      withLock: async (_name, work) => await work(),
    });
    const booting = start({
      host,
      spec: {id, network: 'none'},
      guestAgent: guestAgentPath(architectureOf(process.arch)),
      logPath: null,
      deadlineMs: 2_000,
      signal: new AbortController().signal,
    });
    await expect(booting).rejects.toMatchObject({
      code: 'DEADLINE',
      message: expect.stringContaining('booting the VM with krunvm'),
    });
    expect(doublesOf(state, 'start')).toEqual([]);
  });

  it('is ended by an interruption at once', async () => {
    const {child, ended} = begin(['vm', 'exec', '--vm', id, '--cmd', 'true'], {faults: {silent: true}});
    await until('krunvm runs', () => doublesOf(state, 'start').length > 0);
    await sleep(200);
    const interruptedAt = Date.now();
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    expect(Date.now() - interruptedAt).toBeLessThan(5_000);
    expect(processesOf(state)).toEqual([]);
  });
});

describe('a VMM that is killed', () => {
  it('ends the run at once, which tells the cause; the VM works again', async () => {
    const {said, ended} = begin(['vm', 'exec', '--vm', id, '--cmd', 'echo up; sleep 100', '--timeout', '90']);
    await until('the command runs', () => said().includes('up'));
    const vmms = doublesOf(state, 'start');
    expect(vmms).toHaveLength(1);
    const killedAt = Date.now();
    for (const pid of vmms) endProcess(pid);
    const result = await ended;
    expect(Date.now() - killedAt).toBeLessThan(5_000);
    expect(result.code).toBe(125);
    const failure = failureOf(result);
    expect(failure).toMatchObject({code: 'GUEST_FAILED', origin: 'agent'});
    expect(String(failure.details)).toMatch(/krunvm ended with SIGKILL|signal: killed/);
    expect(await exec(id, 'echo again')).toMatchObject({code: 0, stdout: Buffer.from('again\n')});
  });

  it('while it boots counts as a failed boot', async () => {
    await stop(id);
    const result = await exec(id, 'sleep 100', {faults: {'dies-after': 0}});
    expect(result.code).toBe(125);
    expect(['BOOT_FAILED', 'GUEST_FAILED']).toContain(failureOf(result).code);
  });
});

it('ends with its monitor, also where that is killed and the guest speaks without end', async () => {
  const args = ['vm', 'exec', '--vm', id, '--cmd', 'while :; do echo yyyyyyyy; done', '--timeout', '90'];
  const {child, said, ended} = begin(args);
  await until('the command runs', () => said().includes('yyyy'));
  expect(doublesOf(state, 'start')).toHaveLength(1);
  child.kill('SIGKILL');
  await ended;
  expect((await exec(id, 'true')).code).toBe(0);
  expect(doublesOf(state, 'start')).toHaveLength(1);
  const monitors = processesOf(state).filter(({line}) => line.includes('monitor-main.js'));
  expect(monitors).toHaveLength(1);
  for (const {pid} of monitors) endProcess(pid);
  await until('nothing of it is left', () => processesOf(state).length === 0, 2_000);
  expect((await exec(id, 'true')).code).toBe(0);
});
