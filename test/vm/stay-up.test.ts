/** A VM that has booted for one command serves the next ones, until it is stopped or has been idle too long. */
import {once} from 'node:events';
import {setTimeout as sleep} from 'node:timers/promises';
import {beforeAll, describe, expect, it} from 'vitest';
import {type AgentResult, agent, jsonLines, startAgent} from '../support/agent.js';
import {until} from '../support/until.js';
import {leftoversOf, nothing, processesOf, useState} from '../support/vm-state.js';

const state = useState();
const run = (...args: string[]): Promise<AgentResult> => agent(['vm', ...args], {state});
const exec = (command: string, ...more: string[]): Promise<AgentResult> =>
  run('exec', '--vm', 'one', '--cmd', command, ...more);
const inspect = async (vm: string): Promise<Record<string, unknown>> =>
  JSON.parse((await run('inspect', vm)).stdout.toString()) as Record<string, unknown>;

beforeAll(async () => {
  expect((await run('create', '--language', 'python', '--name', 'one')).code).toBe(0);
});

const bootOf = async (): Promise<string> =>
  (await exec('cat /proc/sys/kernel/random/boot_id')).stdout.toString();

describe('a VM that stays up', () => {
  it('boots once, however many commands want it at the same time', async () => {
    const boots = await Promise.all([1, 2, 3].map(bootOf));
    expect(new Set(boots).size).toBe(1);
    expect(await bootOf()).toBe(boots[0]);
    const vmms = processesOf(state).filter((line) => line.includes('qemu-system'));
    expect(vmms).toHaveLength(1);
    expect(await inspect('one')).toMatchObject({status: 'running', ended: null});
  });

  it('keeps files and processes from one command for the next', async () => {
    await exec('echo kept > /srv/file; nohup sleep 4711 >/dev/null 2>&1 &');
    const {stdout} = await exec('cat /srv/file; pgrep -x sleep >/dev/null && echo runs');
    expect(stdout.toString()).toBe('kept\nruns\n');
  });

  it('takes commands at the same time, each with its own streams', async () => {
    const numbers = Array.from({length: 8}, (_, index) => index);
    const results = await Promise.all(
      numbers.map((n) =>
        agent(['vm', 'exec', '--vm', 'one', '--cmd', `cat; echo e${n} >&2; exit ${n}`], {
          state,
          input: `in${n}`,
        }),
      ),
    );
    expect(results.map(({code}) => code)).toEqual(numbers);
    expect(results.map(({stdout}) => stdout.toString())).toEqual(numbers.map((n) => `in${n}`));
    for (const [n, {stderr}] of results.entries()) expect(stderr).toMatch(new RegExp(`^e${n}\n`));
  });

  it('takes a tar archive on standard input', async () => {
    const archive = Buffer.alloc(5_000_000, 'binary\0\xff');
    const {stdout} = await agent(['vm', 'exec', '--vm', 'one', '--cmd', 'sha256sum | cut -c1-64'], {
      state,
      input: archive,
    });
    const {createHash} = await import('node:crypto');
    expect(stdout.toString().trim()).toBe(createHash('sha256').update(archive).digest('hex'));
  });

  it('ends all of a command whose command line is killed, and nothing else', async () => {
    const boot = await bootOf();
    const child = startAgent(
      ['vm', 'exec', '--vm', 'one', '--cmd', 'trap "" TERM; echo up; sleep 4712 & sleep 4712'],
      {state},
    );
    if (child.stdout) await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await until('its processes are gone', async () => (await exec('pgrep -fx "sleep 4712"')).code === 1);
    expect(await bootOf()).toBe(boot);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'ends all of a command that is interrupted by %s',
    async (signal) => {
      const command = 'trap "echo last words; exit 3" INT; echo up; sleep 4713 & wait';
      const child = startAgent(['vm', 'exec', '--vm', 'one', '--cmd', command], {state});
      let said = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
      await until('it runs', () => said.includes('up'));
      child.kill(signal);
      const [code] = await once(child, 'close');
      expect(code).toBe(signal === 'SIGINT' ? 130 : 143);
      expect(said).toBe('up\nlast words\n');
      expect((await exec('pgrep -fx "sleep 4713"')).code).toBe(1);
    },
  );

  it('ends all of a command at its deadline, children that take no SIGTERM too', async () => {
    const result = await exec('(trap "" TERM; sleep 4714 & wait) & echo up; sleep 4714', '--timeout', '2s');
    expect(result).toMatchObject({code: 124});
    expect(result.events.at(-1)).toMatchObject({timed_out: true, limit: 'time', origin: 'agent'});
    expect((await exec('pgrep -fx "sleep 4714"')).code).toBe(1);
  });

  it('has the right time after its machine has slept', async () => {
    const line = processesOf(state).find((process) => process.includes('qemu-system')) ?? '';
    const vmm = Number.parseInt(line, 10);
    process.kill(vmm, 'SIGSTOP');
    await sleep(12_000); // time itself is what is tested
    process.kill(vmm, 'SIGCONT');
    const {stdout} = await exec('date +%s');
    expect(Math.abs(Number(stdout.toString()) - Date.now() / 1000)).toBeLessThan(5);
  });

  it('shows that its monitor does not answer, without keeping anybody waiting', async () => {
    const {monitor_pid: monitor} = await inspect('one');
    process.kill(Number(monitor), 'SIGSTOP');
    try {
      const listed = await run('list', '--status', 'unresponsive', '-q');
      expect(listed.stdout.toString()).toMatch(/^python-/);
    } finally {
      process.kill(Number(monitor), 'SIGCONT');
    }
    expect(await inspect('one')).toMatchObject({status: 'running'});
  });

  it('stops in order: what runs gets SIGTERM, and what it writes then is there after the next boot', async () => {
    const command = 'trap "echo saved > /srv/saved; exit" TERM; echo up; while :; do sleep 0.1; done';
    const child = startAgent(['vm', 'exec', '--vm', 'one', '--cmd', command, '--timeout', '90'], {state});
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    if (child.stdout) await once(child.stdout, 'data');
    child.stdout?.resume();
    const closed = once(child, 'close');
    expect((await run('stop', '--vm', 'one')).code).toBe(0);
    const [code] = await closed;
    expect(code).toBe(125);
    expect(jsonLines(stderr)).toMatchObject([{message: 'vm exec failed', code: 'VM_BUSY', origin: 'agent'}]);
    expect(await inspect('one')).toMatchObject({status: 'stopped', pid: null, monitor_pid: null});
    expect(processesOf(state)).toEqual([]);
    expect((await exec('cat /srv/saved')).stdout.toString()).toBe('saved\n');
  });

  it('stops by itself when it has been idle for long, and not before', async () => {
    expect((await run('create', '--language', 'python', '--name', 'idle', '--idle-timeout', '3s')).code).toBe(
      0,
    );
    expect((await run('exec', '--vm', 'idle', '--cmd', 'sleep 5; echo done')).code).toBe(0);
    await until('it has stopped', async () => (await inspect('idle')).status === 'stopped');
    expect(await inspect('idle')).toMatchObject({ended: expect.stringContaining('idle')});
    expect((await run('exec', '--vm', 'idle', '--cmd', 'true')).code).toBe(0);
  });

  it('goes with everything when it is cleaned', async () => {
    expect((await run('clean', '--all')).code).toBe(0);
    expect(await leftoversOf(state)).toEqual(nothing);
  });
});
