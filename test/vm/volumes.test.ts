import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {type AgentResult, agent, jsonLines} from '../support/agent.js';
import {errorOf} from '../support/refusal.js';
import {leftoversOf, nothing, useState} from '../support/vm-state.js';

const state = useState();
const run = (...args: readonly string[]): Promise<AgentResult> =>
  agent(args, {state, env: {AGENT_LAUNCHER: 'qemu'}, timeoutMs: 120_000});
const exec = (vm: string, cmd: string): Promise<AgentResult> => run('vm', 'exec', '--vm', vm, '--cmd', cmd);
const create = (...args: readonly string[]): Promise<AgentResult> =>
  run('vm', 'create', '--language', 'python', ...args);
const volumes = async (): Promise<Record<string, unknown>[]> =>
  JSON.parse((await run('volume', 'list', '--json')).stdout.toString());
const lineOf = ({stdout}: AgentResult): Record<string, unknown> => jsonLines(stdout.toString())[0] ?? {};

describe('a volume', () => {
  it('is told of when it is made, and is of one VM at a time', async () => {
    const created = await create('--name', 'one', '--volume', 'data', '--disk', '64M');
    expect(lineOf(created)).toMatchObject({message: 'vm created', persisted: true, volume: 'data'});
    expect((await exec('one', 'echo kept > /persist/note; sync')).code).toBe(0);

    const second = await create('--volume', 'data');
    expect([second.code, errorOf(second)]).toMatchObject([1, {code: 'VM_BUSY'}]);
    expect(errorOf(second).message).toBe("The volume 'data' belongs to VM 'one'.");
    const named = await create('--name', 'data', '--persist');
    expect([named.code, errorOf(named).code]).toEqual([1, 'VM_BUSY']);
    const removed = await run('volume', 'remove', 'data');
    expect(removed.code).toBe(1);
    expect(lineOf(removed)).toMatchObject({message: 'volume remove failed', volume: 'data', code: 'VM_BUSY'});
    expect(await volumes()).toMatchObject([{name: 'data', launcher: 'qemu', used_by: lineOf(created).id}]);
  });

  it('leaves the disk of its VM to be filled, emptied and used again', async () => {
    const filled = await run(
      ...['vm', 'exec', '--vm', 'one', '--json', '--timeout', '60'],
      ...['--cmd', 'head -c 200M /dev/zero > /srv/big'],
    );
    expect(filled.code).not.toBe(0);
    expect(lineOf(filled)).toMatchObject({
      limit: 'disk',
      stderr_text: expect.stringContaining('No space left'),
    });
    expect((await exec('one', 'cat /persist/note; rm /srv/big')).stdout.toString()).toBe('kept\n');
    const again = await exec('one', 'head -c 20M /dev/zero > /srv/again && sync && wc -c < /srv/again');
    expect(again.stdout.toString()).toBe(`${20 * 1024 ** 2}\n`);
    const copied = await agent(['vm', 'cp', '-', 'one:/srv/more'], {state, input: Buffer.alloc(100_000_000)});
    expect([copied.code, errorOf(copied)]).toMatchObject([1, {code: 'GUEST_FAILED'}]);
    expect(errorOf(copied).message).toContain('ENOSPC');
    expect((await exec('one', 'rm /srv/more; echo still here')).stdout.toString()).toBe('still here\n');
  });

  it('comes back with the next VM that names it, also after that one crashed', async () => {
    expect((await run('vm', 'clean', '--vm', 'one', '--keep-persist')).code).toBe(0);
    expect(await volumes()).toMatchObject([{name: 'data', used_by: null}]);
    const foreign = await create('--volume', 'data', '--launcher', 'krunvm');
    expect([foreign.code, errorOf(foreign).message]).toEqual([
      2,
      "The volume 'data' was made by qemu, and krunvm cannot use it.",
    ]);
    expect((await create('--name', 'data', '--persist')).code).toBe(0);
    expect(
      (await exec('data', 'cat /persist/note; echo more >> /persist/note; sync')).stdout.toString(),
    ).toBe('kept\n');
    const {pid} = JSON.parse((await run('vm', 'inspect', 'data')).stdout.toString()) as {pid: number};
    process.kill(pid, 'SIGKILL');
    expect((await exec('data', 'cat /persist/note')).stdout.toString()).toBe('kept\nmore\n');
  });

  it('goes with its VM where it is not kept', async () => {
    expect((await run('vm', 'clean', '--vm', 'data')).code).toBe(0);
    expect(await volumes()).toEqual([]);
    expect(existsSync(join(state.path, 'persist/data'))).toBe(false);
  });

  it('that was named outlives a temporary VM, and another does not', async () => {
    const temp = (...args: readonly string[]) => run('vm', 'temp', '--language', 'python', ...args);
    expect((await temp('--persist', '--cmd', 'echo lost > /persist/note')).code).toBe(0);
    expect(await volumes()).toEqual([]);
    const written = await temp(
      '--volume',
      'cache',
      '--disk',
      '256M',
      '--cmd',
      'echo kept > /persist/note; df /',
    );
    expect(written.code).toBe(0);
    expect(Number(/overlay +(\d+)/.exec(written.stdout.toString())?.[1])).toBeGreaterThan(200_000);
    const read = await temp('--volume', 'cache', '--cmd', 'cat /persist/note');
    expect(read.stdout.toString()).toBe('kept\n');
  });

  it('is removed by its name, more than once', async () => {
    const removed = await run('volume', 'remove', 'cache', 'never', '../vms');
    expect(removed.code).toBe(0);
    expect(jsonLines(removed.stdout.toString())).toMatchObject([
      {message: 'volume removed', volume: 'cache'},
      {message: 'volume removed', volume: 'never', already_gone: true},
      {message: 'volume removed', volume: '../vms', already_gone: true},
    ]);
    expect(readdirSync(join(state.path, 'persist'))).toEqual([]);
    expect(await leftoversOf(state)).toEqual(nothing);
  });
});

describe('bad names and sizes', () => {
  it.each([
    ['--volume', '../x'],
    ['--volume', '.hidden'],
    ['--volume', ''],
    ['--disk', '63M'],
    ['--disk', 'much'],
  ])('%s %j is refused before any work', async (flag, value) => {
    const result = await create(flag, value);
    expect([result.code, errorOf(result).code]).toEqual([2, 'USAGE']);
  });

  it('--disk is refused with krunvm, with the reason', async () => {
    const result = await create('--disk', '1G', '--launcher', 'krunvm');
    expect(result.code).toBe(2);
    expect(errorOf(result).message).toContain('krunvm cannot bound the disk of a VM');
  });
});
