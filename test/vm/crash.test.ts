/** Whatever ends the command line, nothing of its VMs is left that `list` does not show and `clean` does not remove. */
import type {ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {readdirSync, readFileSync} from 'node:fs';
import {createServer, type Socket} from 'node:net';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterEach, describe, expect, it} from 'vitest';
import {randomSource} from '../state/random-source.js';
import {type AgentResult, agent, jsonLines, startAgent} from '../support/agent.js';
import {leftoversOf, nothing, processesOf, useState} from '../support/vm-state.js';

const state = useState();
const run = (...args: readonly string[]): Promise<AgentResult> => agent(args, {state});
const temp = ['vm', 'temp', '--language', 'python'];
const create = ['vm', 'create', '--language', 'python'];

/** Waits for what must come true. */
const until = async (
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  deadlineMs = 30_000,
): Promise<void> => {
  const deadline = Date.now() + deadlineMs;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await sleep(20);
  }
};

const vms = async (): Promise<Record<string, unknown>[]> => {
  const {code, stdout, stderr} = await run('vm', 'list', '--all', '--json');
  expect({code, stderr}).toEqual({code: 0, stderr: ''});
  return JSON.parse(stdout.toString()) as Record<string, unknown>[];
};

const vmmPids = (): number[] =>
  processesOf(state)
    .filter((line) => line.includes('guest=agent-'))
    .map((line) => Number(line.split(' ')[0]));

const isGone = (): boolean => processesOf(state).length === 0;

const cleanAll = async (): Promise<void> => {
  const {code, stderr} = await run('vm', 'clean', '--all');
  expect({code, stderr}).toEqual({code: 0, stderr: ''});
  expect(await leftoversOf(state)).toEqual(nothing);
};

afterEach(async () => {
  await run('vm', 'clean', '--all');
});

interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs, and how it ends. */
const begin = (
  args: readonly string[],
): {child: ChildProcess; ended: Promise<Ending>; said: () => string} => {
  const child = startAgent(args, {state});
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdin?.end();
  const ended = once(child, 'close').then(([code, signal]) => ({code, signal, stdout, stderr}) as Ending);
  return {child, ended, said: () => stdout};
};

const durationOf = async (args: readonly string[]): Promise<number> => {
  const startedAt = Date.now();
  await run(...args);
  return Date.now() - startedAt;
};

describe('kill -9 of the command line', () => {
  it.each([
    ['create', 9, create],
    ['run', 8, ['vm', 'run', '--vm', 'target', '--cmd', 'sleep 0.3; echo x']],
    ['temp', 8, [...temp, '--cmd', 'sleep 0.3; echo x']],
  ])('in %s, at %d moments', async (verb, moments, args) => {
    if (verb === 'run') await run(...create, '--name', 'target');
    const whole = await durationOf(args);
    const random = randomSource(verb.length);
    for (let moment = 0; moment < moments; moment++) {
      const {child, ended} = begin(args);
      await sleep(Math.round(((moment + random(1_000) / 1_000) / moments) * whole));
      child.kill('SIGKILL');
      await ended;
      await until('no process is left', isGone, 10_000);
      const shown = new Set((await vms()).map(({id}) => String(id)));
      const folders = readdirSync(join(state.path, 'vms')).filter((id) => !shown.has(id));
      expect(folders).toEqual([]);
    }
    if (verb === 'run') expect((await run('vm', 'run', '--vm', 'target', '--cmd', 'true')).code).toBe(0);
    await cleanAll();
    expect((await run(...create)).code).toBe(0);
    await cleanAll();
  });

  it('in temp is tidied up by the next command that writes', async () => {
    const {child, ended} = begin([...temp, '--cmd', 'sleep 300', '--timeout', '200']);
    await until('its VMM runs', () => vmmPids().length === 1);
    child.kill('SIGKILL');
    await ended;
    await until('no process is left', isGone, 10_000);
    expect(await vms()).toMatchObject([{status: 'failed', temporary: true}]);
    expect((await run(...create, '--name', 'next')).code).toBe(0);
    expect(await vms()).toMatchObject([{name: 'next'}]);
  });
});

describe('a signal', () => {
  const running = [...temp, '--cmd', 'echo up; sleep 300', '--timeout', '200'];

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s ends temp with %d, and its VM', async (signal, code) => {
    const {child, ended, said} = begin(running);
    await until('the command runs', () => said().includes('up'), 60_000);
    child.kill(signal);
    const {stderr, ...how} = await ended;
    expect(how).toMatchObject({code, signal: null});
    expect(isGone()).toBe(true);
    const events = jsonLines(stderr);
    expect(events.filter(({level}) => level === 'error')).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({message: 'temporary vm cleaned up'});
    expect(await leftoversOf(state)).toEqual(nothing);
  });

  it.each([0.2, 0.4, 0.6, 0.8])('ends temp at any moment: %d of its way', async (part) => {
    const whole = await durationOf([...temp, '--cmd', 'true']);
    const {child, ended} = begin([...temp, '--cmd', 'true']);
    await sleep(part * whole);
    child.kill('SIGTERM');
    const {code, signal} = await ended;
    // Before it listens, the signal ends it by itself: nothing is made by then.
    expect([143, 0]).toContain(signal === 'SIGTERM' ? 143 : code);
    expect(await leftoversOf(state)).toEqual(nothing);
  });

  it('leaves the VM of a run ready', async () => {
    await run(...create, '--name', 'kept');
    const {child, ended} = begin(['vm', 'run', '--vm', 'kept', '--cmd', 'sleep 300', '--timeout', '200']);
    await until('it runs', async () => (await vms())[0]?.status === 'running', 60_000);
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    expect(isGone()).toBe(true);
    expect(await vms()).toMatchObject([{status: 'ready', failure: null}]);
  });

  it('while it boots leaves the VM ready too', async () => {
    await run(...create, '--name', 'kept');
    const {child, ended} = begin(['vm', 'run', '--vm', 'kept', '--cmd', 'true']);
    await until('its VMM runs', () => vmmPids().length === 1);
    child.kill('SIGTERM');
    expect((await ended).code).toBe(143);
    expect(isGone()).toBe(true);
    expect(await vms()).toMatchObject([{status: 'ready', failure: null}]);
  });

  it('from a terminal does not reach the VMM', async () => {
    const {child, ended, said} = begin(running);
    await until('the command runs', () => said().includes('up'), 60_000);
    const [vmm = 0] = vmmPids();
    expect(processGroup(vmm)).not.toBe(processGroup(child.pid ?? 0));
    await run('vm', 'clean', '--all');
    expect((await ended).code).toBe(125);
  });

  it('while an image is pulled ends that too', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const {child, ended} = begin(['vm', 'create', '--image', `127.0.0.1:${port}/library/nothing:1`]);
    await until('the registry is asked', () => sockets.length > 0, 60_000);
    child.kill('SIGINT');
    const {code, stderr} = await ended;
    for (const socket of sockets) socket.destroy();
    silent.close();
    expect({code, events: jsonLines(stderr)}).toMatchObject({code: 130, events: [{code: 'INTERRUPTED'}]});
    expect(await leftoversOf(state)).toEqual(nothing);
  });

  it('sent twice ends it at once, and the VMM with it', async () => {
    await run(...create, '--name', 'twice');
    const {child, ended, said} = begin([
      'vm',
      'exec',
      '--vm',
      'twice',
      '--cmd',
      'trap "" TERM; echo up; sleep 300',
      '--timeout',
      '200',
    ]);
    await until('the command runs', () => said().includes('up'), 60_000);
    await until('it has ended', () => !child.kill('SIGINT') || child.exitCode !== null);
    expect((await ended).code).toBe(130);
    await until('no process is left', isGone, 10_000);
  });
});

/** Field 5 of proc(5)'s stat. */
const processGroup = (pid: number): number =>
  Number(
    readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')[2],
  );

describe('a VMM that is killed', () => {
  it('ends the run at once and says so; the VM works again', async () => {
    await run(...create, '--name', 'victim');
    const {ended} = begin(['vm', 'run', '--vm', 'victim', '--cmd', 'sleep 300', '--timeout', '200']);
    await until('it runs', async () => (await vms())[0]?.status === 'running', 60_000);
    const [vmm = 0] = vmmPids();
    process.kill(vmm, 'SIGKILL');
    const killedAt = Date.now();
    const {code, stdout} = await ended;
    expect(Date.now() - killedAt).toBeLessThan(15_000);
    expect(code).toBe(125);
    const [line = {}] = jsonLines(stdout);
    expect(line).toMatchObject({message: 'vm run failed', origin: 'agent', code: 'GUEST_FAILED'});
    expect(line.details).toEqual(expect.arrayContaining([expect.stringMatching(/console/)]));
    expect((await run('vm', 'run', '--vm', 'victim', '--cmd', 'true')).code).toBe(0);
  });
});

describe('a guest that', () => {
  it.each([
    ['panics', 'echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger; sleep 100', 125],
    ['switches itself off', 'echo 1 > /proc/sys/kernel/sysrq; echo o > /proc/sysrq-trigger; sleep 100', 125],
    ['kills its agent', 'kill -9 1; kill -KILL 1; sleep 100', 124],
    ['stops its agent', 'kill -STOP 1; sleep 100', 124],
    ['forks for ever', 'f() { f | f & }; f; sleep 100', 124],
    ['takes all memory', 'tail /dev/zero', 137],
  ])('%s is ended in time', async (_, command, code) => {
    const startedAt = Date.now();
    const result = await run(...temp, '--cmd', command, '--timeout', '8s');
    expect(Date.now() - startedAt).toBeLessThan(60_000);
    expect(result.code).toBe(code);
    expect(result.events.filter(({level}) => level === 'error')).toHaveLength(1);
    expect(await leftoversOf(state)).toEqual(nothing);
  });
});

describe('a command line that is stopped', () => {
  it('does not keep others from its VM', async () => {
    await run(...create, '--name', 'frozen');
    const {child, ended} = begin(['vm', 'run', '--vm', 'frozen', '--cmd', 'sleep 300', '--timeout', '200']);
    await until('it runs', async () => (await vms())[0]?.status === 'running', 60_000);
    child.kill('SIGSTOP');
    const startedAt = Date.now();
    expect((await run('vm', 'clean', '--vm', 'frozen')).code).toBe(0);
    expect(Date.now() - startedAt).toBeLessThan(40_000);
    expect(await vms()).toEqual([]);
    child.kill('SIGCONT');
    expect((await ended).code).toBe(125);
    expect(await leftoversOf(state)).toEqual(nothing);
  });
});
