import {describe, expect, it} from 'vitest';
import {type AgentResult, agent} from '../support/agent.js';
import {guestStderr} from '../support/guest-stderr.js';
import {processesOf, useState} from '../support/vm-state.js';

const state = useState();

const temp = (language: string, args: readonly string[]): Promise<AgentResult> =>
  agent(['vm', 'temp', '--language', language, ...args], {state, timeoutMs: 170_000});

/** The log line with the verdict. */
const verdict = (result: AgentResult): Record<string, unknown> => result.events[1] ?? {};

describe.each(['python', 'node'])('in a VM with %s, the exit code', (language) => {
  it('is the command’s own, 1 among them', async () => {
    const [one, most] = await Promise.all([
      temp(language, ['--cmd', 'false']),
      temp(language, ['--cmd', 'exit 255']),
    ]);
    expect([one.code, most.code]).toEqual([1, 255]);
    expect(verdict(one)).toMatchObject({
      level: 'error',
      message: 'temporary vm execution failed',
      exit_code: 1,
      origin: 'guest',
      error: 'exit status 1',
    });
  });

  it('is 127 for a command that is not found, and 126 for one that is not executable', async () => {
    const [missing, locked] = await Promise.all([
      temp(language, ['--cmd', 'no-such-command']),
      temp(language, ['--cmd', '/etc/hostname']),
    ]);
    expect([missing.code, locked.code]).toEqual([127, 126]);
    expect(guestStderr(missing)).toContain('no-such-command');
    expect(verdict(locked)).toMatchObject({origin: 'guest', exit_code: 126});
  });

  it('is 128 + N for a command that signal N ended', async () => {
    const [killed, terminated] = await Promise.all([
      temp(language, ['--cmd', 'echo before; kill -9 $$; echo after']),
      temp(language, ['--cmd', 'kill -TERM $$']),
    ]);
    expect([killed.code, terminated.code]).toEqual([137, 143]);
    expect(killed.stdout.toString()).toBe('before\n');
    expect(verdict(killed)).toMatchObject({exit_code: 137, origin: 'guest', error: 'ended by signal 9'});
  });

  it('is 124 when the time is up, with nothing of the command or its VM left', async () => {
    const command = '(trap "" TERM; while :; do :; done) & sleep 1000 & echo begun; wait';
    const result = await temp(language, ['--cmd', command, '--timeout', '2s']);
    expect(processesOf(state)).toEqual([]);
    expect(result.code).toBe(124);
    expect(result.stdout.toString()).toBe('begun\n');
    expect(verdict(result)).toMatchObject({exit_code: 124, timed_out: true, origin: 'agent', limit: 'time'});
    expect(verdict(result).error).toMatch(/^timed out after /);
  });
});

describe('the exit code', () => {
  it('of a guest that itself says 124 or 125 is told from ours by its origin', async () => {
    const [late, failed] = await Promise.all([
      temp('python', ['--cmd', 'exit 124']),
      temp('python', ['--code', 'raise SystemExit(125)']),
    ]);
    expect([late.code, failed.code]).toEqual([124, 125]);
    for (const result of [late, failed])
      expect(verdict(result)).toMatchObject({origin: 'guest', timed_out: false});
  });

  it('of a VM that was stopped by a timeout does not keep it from running again', async () => {
    const {stdout} = await agent(['vm', 'create', '--language', 'python'], {state});
    const {id} = JSON.parse(stdout.toString()) as {id: string};
    const late = await agent(
      ['vm', 'run', '--vm', id, '--cmd', 'echo kept > /srv/kept; sleep 1000', '--timeout', '3'],
      {state},
    );
    expect(late.code).toBe(124);
    expect(processesOf(state)).toEqual([]);
    const after = await agent(['vm', 'exec', '--vm', id, '--cmd', 'cat /srv/kept; ps -e || true'], {state});
    expect(after.stdout.toString()).toContain('kept');
    expect(after.stdout.toString()).not.toContain('sleep');
    const cleaned = await agent(['vm', 'clean', '--vm', id], {state});
    expect(cleaned.stderr).toBe('');
  });

  it('is 137 when the guest’s memory runs out, and the log line names the limit', async () => {
    const result = await temp('python', [
      '--code',
      'kept = []\nwhile True: kept.append(bytearray(1024 * 1024))',
    ]);
    expect(verdict(result)).toMatchObject({exit_code: 137, limit: 'memory'});
    expect(result.code).toBe(137);
  });
});
