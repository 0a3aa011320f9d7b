/** Several commands at the same time: of each pair one wins, the other says who did, and nothing is left. */
import {once} from 'node:events';
import {readdirSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {describe, expect, it} from 'vitest';
import {type AgentResult, agent, jsonLines, startAgent} from '../support/agent.js';
import {leftoversOf, nothing, useState} from '../support/vm-state.js';

const state = useState();
const run = (...args: readonly string[]): Promise<AgentResult> => agent(args, {state});
const create = (...args: readonly string[]): Promise<AgentResult> =>
  run('vm', 'create', '--language', 'python', ...args);
const linesOf = (result: AgentResult): Record<string, unknown>[] => jsonLines(result.stdout.toString());

const vms = async (): Promise<Record<string, unknown>[]> =>
  JSON.parse((await run('vm', 'list', '--all', '--json')).stdout.toString()) as Record<string, unknown>[];

/** Waits until the VM of that name has the status. */
const untilStatus = async (name: string, status: string): Promise<void> => {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const found = (await vms()).find((vm) => vm.name === name);
    if (found?.status === status) return;
    if (Date.now() > deadline) throw new Error(`'${name}' is ${String(found?.status)}, not ${status}`);
    await sleep(20);
  }
};

const clean = async (): Promise<void> => {
  await run('vm', 'clean', '--all');
  expect(await leftoversOf(state)).toEqual(nothing);
};

describe('20 creates at once', () => {
  it('make 20 VMs that all work, and one clean leaves the state directory as it was', async () => {
    await run('vm', 'clean', '--vm', 'python-00000000');
    const results = await Promise.all(Array.from({length: 20}, (_, n) => create('--label', `n=${n % 4}`)));
    expect(results.map(({code, stderr}) => ({code, stderr}))).toEqual(
      results.map(() => ({code: 0, stderr: ''})),
    );
    const ids = results.map((result) => linesOf(result)[0]?.id);
    const listed = await vms();
    expect(new Set(listed.map(({id}) => id))).toEqual(new Set(ids));
    expect(listed.every(({status}) => status === 'ready')).toBe(true);

    const hello = await run(
      'vm',
      'exec',
      '--label',
      'n=1',
      '--cmd',
      'echo here',
      '--parallel',
      '5',
      '--timeout',
      '120',
    );
    expect(hello.code).toBe(0);
    expect(hello.stdout.toString().match(/ \| here$/gm)).toHaveLength(5);

    const cleaned = await run('vm', 'clean', '--all');
    expect(cleaned.code).toBe(0);
    expect(linesOf(cleaned).filter(({message}) => message === 'vm cleaned')).toHaveLength(20);
    expect(await leftoversOf(state)).toEqual(nothing);
    expect(readdirSync(state.path).sort()).toEqual(['agent.mdb', 'agent.mdb-lock', 'boot', 'images', 'vms']);
  });
});

describe('one VM', () => {
  it('is booted by one of two, and the other says who', async () => {
    await create('--name', 'two');
    const results = await Promise.all([1, 2].map(() => run('vm', 'run', '--vm', 'two', '--cmd', 'echo x')));
    const [loser, ...others] = results.filter(({code}) => code !== 0);
    expect(others).toEqual([]);
    expect(loser?.code).toBe(125);
    const [line = {}] = loser ? linesOf(loser) : [];
    expect(line).toMatchObject({
      message: 'vm run failed',
      code: 'VM_BUSY',
      error: expect.stringMatching(/ is (booting|running)\.$/),
    });
    expect(line.details).toEqual([expect.stringMatching(/^process \d+ is at work on it$/)]);
    expect((await run('vm', 'run', '--vm', 'two', '--cmd', 'true')).code).toBe(0);
    await clean();
  });

  it.each([
    ['stopped', 'stop', 'running', 'stopped'],
    ['cleaned', 'clean', 'running', undefined],
    ['stopped while it boots', 'stop', 'booting', 'stopped'],
    ['cleaned while it boots', 'clean', 'booting', undefined],
  ])('that is %s ends its run, which says who did it', async (_, verb, status, after) => {
    await create('--name', 'taken');
    const running = run('vm', 'run', '--vm', 'taken', '--cmd', 'sleep 300', '--timeout', '200');
    await untilStatus('taken', status);
    const ended = await run('vm', verb, '--vm', 'taken');
    expect(ended).toMatchObject({code: 0, stderr: ''});
    const result = await running;
    expect(result.code).toBe(125);
    expect(linesOf(result)).toMatchObject([
      {code: 'VM_BUSY', error: expect.stringMatching(/was (stopped|cleaned|removed) by /)},
    ]);
    expect((await vms()).map((vm) => vm.status)).toEqual(after === undefined ? [] : [after]);
    await clean();
  });

  it('that is stopped leaves the other VMs of its command alone', async () => {
    await create('--name', 'one');
    await create('--name', 'other');
    const both = run('vm', 'exec', '--all', '--cmd', 'sleep 4; echo done', '--timeout', '100');
    await untilStatus('one', 'running');
    await untilStatus('other', 'running');
    expect((await run('vm', 'stop', '--vm', 'one')).code).toBe(0);
    const result = await both;
    expect(result.code).toBe(125);
    expect(result.stdout.toString().match(/ \| done$/gm)).toHaveLength(1);
    await clean();
  });

  it('is written to its disk before it is stopped', async () => {
    await create('--name', 'kept');
    const command = 'echo kept > /srv/note; echo written; sleep 300';
    const child = startAgent(['vm', 'exec', '--vm', 'kept', '--cmd', command, '--timeout', '200'], {state});
    const ended = once(child, 'close');
    if (child.stdout) await once(child.stdout, 'data');
    await run('vm', 'stop', '--vm', 'kept');
    expect((await ended)[0]).toBe(125);
    const result = await run('vm', 'exec', '--vm', 'kept', '--cmd', 'cat /srv/note');
    expect(result.stdout.toString()).toBe('kept\n');
    await clean();
  });
});

describe('cleaning', () => {
  it('takes what is being created', async () => {
    const creating = Array.from({length: 6}, () => create());
    const cleaning = Array.from({length: 3}, () => run('vm', 'clean', '--all'));
    const cleaned = await Promise.all(cleaning);
    const created = await Promise.all(creating);
    expect(cleaned.map(({code}) => code)).toEqual([0, 0, 0]);
    for (const {code, events} of created.filter((result) => result.code !== 0)) {
      expect({code, events}).toMatchObject({code: 1, events: [{code: 'VM_BUSY'}]});
    }
    await clean();
  });

  it('twice at once succeeds twice', async () => {
    await Promise.all([create(), create(), create()]);
    const results = await Promise.all([run('vm', 'clean', '--all'), run('vm', 'clean', '--all')]);
    expect(results.map(({code, stderr}) => ({code, stderr}))).toEqual([
      {code: 0, stderr: ''},
      {code: 0, stderr: ''},
    ]);
    expect(await leftoversOf(state)).toEqual(nothing);
  });

  it('ends what runs on all of them', async () => {
    await create('--name', 'first');
    await create('--name', 'second');
    const running = run('vm', 'exec', '--all', '--cmd', 'sleep 300', '--timeout', '200');
    await untilStatus('first', 'running');
    expect((await run('vm', 'clean', '--all')).code).toBe(0);
    expect((await running).code).toBe(125);
    expect(await leftoversOf(state)).toEqual(nothing);
  });
});

describe('four temporary VMs at once', () => {
  it('each say their own', async () => {
    const results = await Promise.all(
      [1, 2, 3, 4].map((n) => run('vm', 'temp', '--language', 'python', '--cmd', `echo ${n}`)),
    );
    expect(results.map(({code, stdout}) => `${code} ${stdout}`)).toEqual([
      '0 1\n',
      '0 2\n',
      '0 3\n',
      '0 4\n',
    ]);
    expect(await leftoversOf(state)).toEqual(nothing);
  });
});
