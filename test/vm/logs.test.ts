import {existsSync, mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type AgentResult, agent, startAgent} from '../support/agent.js';
import {errorOf} from '../support/refusal.js';
import {until} from '../support/until.js';
import {useState} from '../support/vm-state.js';

const state = useState();
const vm = (...args: readonly string[]): Promise<AgentResult> =>
  agent(['vm', ...args], {state, env: {AGENT_LAUNCHER: 'qemu'}});
const logs = (...args: readonly string[]): Promise<AgentResult> => vm('logs', '--vm', 'one', ...args);
const list = async (): Promise<Record<string, unknown>[]> =>
  JSON.parse((await logs('--list', '--json')).stdout.toString());

beforeAll(async () => {
  await vm('create', '--language', 'python', '--name', 'one');
});
afterAll(async () => {
  await vm('clean', '--all');
});

describe('the logs of a VM', () => {
  it('are empty before anything has run', async () => {
    const result = await logs();
    expect([result.code, result.stdout.toString()]).toEqual([0, '']);
    expect(result.events).toMatchObject([{level: 'warn', message: "VM 'one' has run nothing yet"}]);
    expect(await list()).toEqual([]);
  });

  it('are those of the last run, each stream for itself, byte for byte', async () => {
    await vm('exec', '--vm', 'one', '--cmd', 'echo first');
    const said = await vm(
      'exec',
      '--vm',
      'one',
      '--cmd',
      String.raw`printf '\033[1m\377\n'; echo bad >&2; exit 3`,
    );
    const result = await logs();
    expect(result.code).toBe(0);
    expect(result.stdout).toEqual(said.stdout);
    expect(result.stderr).toBe('bad\n');
  });

  it('name each run, and show it by the start of its id', async () => {
    const runs = await list();
    expect(runs).toMatchObject([
      {status: 'ended', exit_code: 0, program: 'echo first', stdout_bytes: 6, stderr_bytes: 0},
      {status: 'ended', exit_code: 3, stderr_bytes: 4},
    ]);
    const id = String(runs[0]?.run);
    expect((await logs('--run', id.slice(0, 6))).stdout.toString()).toBe('first\n');
    expect((await logs('--run', id)).stdout.toString()).toBe('first\n');
    const table = (await logs('--list')).stdout.toString();
    expect(table).toMatch(/^Run +Status +Exit +Started +Duration +Program\n/);
    expect(table).toContain('echo first');
    const unknown = await logs('--run', 'zz');
    expect([unknown.code, errorOf(unknown).message]).toEqual([2, "VM 'one' has no run 'zz'."]);
  });

  it('follow a run until it ends', async () => {
    const script = 'echo begin; until test -e /tmp/go; do sleep 0.1; done; echo end; echo err >&2';
    const running = vm('exec', '--vm', 'one', '--cmd', script, '--timeout', '60');
    await until('the run has begun', async () => (await list()).at(-1)?.status === 'running', 30_000);
    const follower = startAgent(['vm', 'logs', '--vm', 'one', '--follow'], {state});
    let seen = '';
    follower.stdout?.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
    });
    const ended = new Promise((resolve) => follower.once('close', resolve));
    await until('its first line is seen', () => seen === 'begin\n', 30_000);
    expect((await logs()).stdout.toString()).toBe('begin\n');
    await vm('cp', '-', 'one:/tmp/go');
    expect(await ended).toBe(0);
    expect(seen).toBe('begin\nend\n');
    expect((await running).code).toBe(0);
    expect((await logs('--follow', '--tail', '1')).stdout.toString()).toBe('end\n');
  });

  it('end quietly where they are interrupted', async () => {
    const running = vm('exec', '--vm', 'one', '--cmd', 'echo begin; sleep 300', '--timeout', '10m');
    await until('the run has begun', async () => (await list()).at(-1)?.status === 'running', 30_000);
    const follower = startAgent(['vm', 'logs', '--vm', 'one', '-f'], {state});
    let stderr = '';
    follower.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const ended = new Promise((resolve) => follower.once('close', resolve));
    await new Promise((resolve) => follower.stdout?.once('data', resolve));
    follower.kill('SIGINT');
    expect([await ended, stderr]).toEqual([130, '']);
    await vm('stop', '--vm', 'one');
    expect((await running).code).not.toBe(0);
    expect((await list()).at(-1)).toMatchObject({status: 'ended', exit_code: null});
  });

  it('have the console, printable, in its last lines', async () => {
    await vm(
      'exec',
      '--vm',
      'one',
      '--cmd',
      String.raw`printf '<1>from \033]0;evil\007 the guest\n' > /dev/kmsg`,
    );
    const all = (await logs('--console')).stdout.toString();
    expect(all).toContain('agent: ready');
    expect(all).toMatch(/from .*evil.* the guest/);
    expect(all).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]/);
    const last = (await logs('--console', '--tail', '3')).stdout.toString();
    expect(last.trimEnd().split('\n')).toHaveLength(3);
    expect(all.endsWith(last)).toBe(true);
  });

  it.each([['--list', '--follow'], ['--console', '--run', 'a'], ['--json'], ['--tail', '-1']])(
    'refuse %s %s',
    async (...args) => {
      const result = await logs(...args);
      expect([result.code, errorOf(result).code]).toEqual([2, 'USAGE']);
    },
  );

  it('make nothing where there is nothing', async () => {
    const path = mkdtempSync(join(tmpdir(), 'agent-no-logs-'));
    const result = await agent(['vm', 'logs', '--vm', 'none'], {state: {path, remove: () => {}}});
    expect([result.code, errorOf(result).code, readdirSync(path)]).toEqual([2, 'VM_NOT_FOUND', []]);
    rmSync(path, {recursive: true});
    expect(existsSync(path)).toBe(false);
  });
});
