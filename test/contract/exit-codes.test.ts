import {beforeAll, describe, expect, it} from 'vitest';
import type {AgentResult} from '../support/agent.js';
import {guestStderr} from '../support/guest-stderr.js';
import {useBench, verdictOf} from './bench.js';
import {launchers} from './launchers.js';
import {useSmallImage} from './small-images.js';

const images = await useSmallImage();

describe.each(launchers)('with $name, the exit code', (launcher) => {
  const {vm, create, image, vms} = useBench(launcher, images);
  const {hasOwnKernel} = launcher.differences;
  let id = '';
  const both = (...commands: readonly [string, string]): Promise<AgentResult[]> =>
    Promise.all(commands.map((command) => vm(['exec', '--vm', id, '--cmd', command])));

  beforeAll(async () => {
    id = await create();
  });

  it.each([
    [1, 7],
    [42, 255],
    [124, 125],
  ])('is the command’s own, %d and %d among them, and the guest’s', async (...codes) => {
    const [first, second] = codes;
    const results = await both(`exit ${first}`, `exit ${second}`);
    expect(results.map(({code}) => code)).toEqual(codes);
    for (const [at, result] of results.entries())
      expect(verdictOf(result)).toMatchObject({
        level: 'error',
        message: 'vm exec failed',
        exit_code: codes[at],
        origin: 'guest',
        timed_out: false,
        error: `exit status ${codes[at]}`,
      });
  });

  it('is 127 for a command that is not found, and 126 for one that is not executable', async () => {
    const results = await both('no-such-command', '/etc/passwd');
    const [missing, locked] = results;
    expect(results.map(({code}) => code)).toEqual([127, 126]);
    expect(missing && guestStderr(missing)).toContain('no-such-command');
    expect(locked && verdictOf(locked)).toMatchObject({origin: 'guest', exit_code: 126});
  });

  it('is 128 + N for a command that signal N ended', async () => {
    const results = await both('echo before; kill -9 $$; echo after', 'kill -TERM $$');
    expect(results.map(({code}) => code)).toEqual([137, 143]);
    expect(results[0]?.stdout.toString()).toBe('before\n');
    expect(results.map(verdictOf)).toMatchObject([
      {exit_code: 137, origin: 'guest', error: 'ended by signal 9'},
      {exit_code: 143, origin: 'guest', error: 'ended by signal 15'},
    ]);
  });

  it('is 124 when the time is up: nothing of the command is left, and the VM stays up', async () => {
    const command =
      'echo kept > /srv/kept; (trap "" TERM; while :; do :; done) & sleep 1000 & echo begun; wait';
    const [{pid} = {}] = await vms();
    const late = await vm(['exec', '--vm', id, '--cmd', command, '--timeout', '2s']);
    expect([late.code, late.stdout.toString()]).toEqual([124, 'begun\n']);
    expect(verdictOf(late)).toMatchObject({exit_code: 124, timed_out: true, origin: 'agent', limit: 'time'});
    expect(verdictOf(late).error).toMatch(/^timed out after /);
    const after = await vm([
      'exec',
      '--vm',
      id,
      '--cmd',
      'cat /srv/kept; cat /proc/[0-9]*/cmdline | tr "\\0" " "',
    ]);
    expect(after.stdout.toString()).toMatch(/^kept\n/);
    expect(after.stdout.toString()).not.toContain('sleep 1000');
    expect(await vms()).toMatchObject([{id, status: 'running', pid}]);
  });

  it('tells when the guest’s memory has run out', async () => {
    const result = await vm(['temp', ...image(), '--cmd', 'tail /dev/zero']);
    // A process that may not have more memory fails by itself; one that has all of its kernel's is killed.
    expect(result.code).toBe(hasOwnKernel ? 137 : 1);
    const limit = hasOwnKernel ? {exit_code: 137, limit: 'memory'} : {exit_code: 1, origin: 'guest'};
    expect(verdictOf(result)).toMatchObject(limit);
  });
});
