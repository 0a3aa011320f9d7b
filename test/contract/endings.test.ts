/** Whatever ends the command line or the VMM, nothing of the VMs is left that `list` does not show and `clean` does not remove. */
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterEach, describe, expect, it} from 'vitest';
import type {VmRecord} from '../../src/model/vm-record.js';
import {randomSource} from '../state/random-source.js';
import {jsonLines} from '../support/agent.js';
import {until} from '../support/until.js';
import {leftoversOf, nothing} from '../support/vm-state.js';
import {useBench} from './bench.js';
import {launchers} from './launchers.js';
import {useSmallImage} from './small-images.js';

const images = await useSmallImage();

describe.each(launchers)('with $name', (launcher) => {
  const {vm, begin, create, image, vms, whenOnly, cleanAll, isIdle, state} = useBench(launcher, images);
  const {agentIsFirst, slowBoot} = launcher.differences;
  const temp = ['temp', ...image()];
  const running = [...temp, '--cmd', 'echo up; sleep 300', '--timeout', '200'];
  afterEach(cleanAll);

  const untilIdle = (): Promise<void> => until('no process is left', isIdle, 10_000);

  const durationOf = async (args: readonly string[]): Promise<number> => {
    const startedAt = Date.now();
    await vm(args);
    return Date.now() - startedAt;
  };

  const runIn = (name: string): string[] => ['run', '--vm', name, '--cmd'];
  /** Unless it is there. */
  const makeTarget = async (): Promise<void> => {
    if (!(await vms()).some(({name, status}) => name === 'target' && status !== 'failed')) {
      await vm(['clean', '--vm', 'target']);
      await create('--name', 'target');
    }
  };
  const makeTargetUp = async (): Promise<void> => {
    await makeTarget();
    expect((await vm([...runIn('target'), 'true'])).code).toBe(0);
  };

  describe('kill -9 of the command line', () => {
    const killAtRandom = async (args: readonly string[], afterMs: number): Promise<void> => {
      const {child, ended} = begin(args);
      await sleep(Math.round(afterMs));
      child.kill('SIGKILL');
      await ended;
    };

    it.each([
      {verb: 'create', moments: 6, args: ['create', ...image()], prepare: async () => {}},
      {verb: 'temp', moments: 5, args: [...temp, '--cmd', 'sleep 0.3; echo x'], prepare: async () => {}},
      {verb: 'clean', moments: 3, args: ['clean', '--all'], prepare: makeTargetUp},
    ])('in $verb, at $moments moments', async ({verb, moments, args, prepare}) => {
      const random = randomSource(verb.length);
      await prepare();
      const whole = await durationOf(args);
      for (let moment = 0; moment < moments; moment++) {
        await prepare();
        await killAtRandom(args, ((moment + random(1_000) / 1_000) / moments) * whole);
        // Before it has asked anybody to end anything, a VM is up as before.
        if (!(await vms()).some(({status}) => status === 'running')) await untilIdle();
        const shown = new Set((await vms()).map(({id}) => String(id)));
        expect(readdirSync(join(state.path, 'vms')).filter((id) => !shown.has(id))).toEqual([]);
      }
      const ready = (await vms()).find(({status}) => status === 'ready');
      if (ready) expect((await vm([...runIn(String(ready.id)), 'true'])).code).toBe(0);
    });

    it('in run, at 3 moments, ends its command and never its VM', async () => {
      await makeTarget();
      const args = [...runIn('target'), 'sleep 4242'];
      const whole = await durationOf([...runIn('target'), 'true']);
      for (const part of [0.3, 0.7, 1.2]) {
        expect((await vm(['stop', '--vm', 'target'])).code).toBe(0);
        await killAtRandom(args, part * whole);
        expect((await vm([...runIn('target'), untilGone('slee[p] 4242')])).code).toBe(0);
        expect(await vms()).toMatchObject([{status: 'running'}]);
      }
    });

    it('in temp is tidied up by the next command that writes', async () => {
      const {child, ended, said} = begin(running);
      await until('the command runs', () => said() === 'up\n');
      child.kill('SIGKILL');
      await ended;
      await untilIdle();
      expect(await vms()).toMatchObject([{status: 'failed', temporary: true}]);
      await create('--name', 'next');
      expect(await vms()).toMatchObject([{name: 'next'}]);
    });
  });

  describe('a signal', () => {
    it.each([
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['SIGHUP', 129],
    ] as const)('%s ends temp with %d, and its VM', async (signal, code) => {
      const {child, ended, said} = begin(running);
      await until('the command runs', () => said() === 'up\n');
      child.kill(signal);
      const {stderr, ...how} = await ended;
      expect(how).toMatchObject({code, signal: null});
      expect(isIdle()).toBe(true);
      const events = jsonLines(stderr);
      expect(events.filter(({level}) => level === 'error')).toHaveLength(1);
      expect(events.at(-1)).toMatchObject({message: 'temporary vm cleaned up'});
      expect(await leftoversOf(state)).toEqual(nothing);
    });

    it('ends temp at any moment', async () => {
      const args = [...temp, '--cmd', 'true'];
      const whole = await durationOf(args);
      for (const part of [0.3, 0.6, 0.8]) {
        const {child, ended} = begin(args);
        await sleep(part * whole);
        child.kill('SIGTERM');
        const {code, signal} = await ended;
        // Before it listens, the signal ends it by itself: nothing is made by then.
        expect([143, 0]).toContain(signal === 'SIGTERM' ? 143 : code);
        expect(await leftoversOf(state)).toEqual(nothing);
      }
    });

    it('while a VM boots for a run leaves it ready; while the command runs, it leaves it up', async () => {
      const id = await create();
      const args = [...runIn(id), 'echo up > /srv/up; sleep 300', '--timeout', '200'];
      const booting = begin(args, {env: slowBoot});
      await whenOnly('booting');
      booting.child.kill('SIGINT');
      expect((await booting.ended).code).toBe(130);
      expect(isIdle()).toBe(true);
      expect(await vms()).toMatchObject([{status: 'ready', failure: null}]);
      const {child, ended} = begin(args);
      await whenOnly('running');
      expect((await vm([...runIn(id), 'until [ -e /srv/up ]; do sleep 0.1; done'])).code).toBe(0);
      child.kill('SIGINT');
      expect((await ended).code).toBe(130);
      expect(await vms()).toMatchObject([{status: 'running', failure: null}]);
    });

    it('from a terminal does not reach the VMM, and sent twice ends the command line at once', async () => {
      const id = await create();
      const stubborn = 'trap "" TERM; echo up; sleep 4343';
      const {child, ended, said} = begin(['exec', '--vm', id, '--cmd', stubborn, '--timeout', '200']);
      await until('the command runs', () => said() === 'up\n');
      const {vmm, owner} = await whenOnly('running');
      for (const each of [vmm, owner])
        expect(processGroup(each?.pid ?? 0)).not.toBe(processGroup(child.pid ?? 0));
      await until('it has ended', () => !child.kill('SIGINT') || child.exitCode !== null);
      expect((await ended).code).toBe(130);
      expect((await vm([...runIn(id), untilGone('slee[p] 4343')])).code).toBe(0);
    });
  });

  it.each([
    {who: 'VMM', status: 'failed', of: ({vmm}: VmRecord) => vmm},
    {who: 'monitor', status: 'stopped', of: ({owner}: VmRecord) => owner},
  ])('a $who that is killed ends all commands at once, which say so; the VM works again', async (each) => {
    const id = await create();
    const args = ['exec', '--vm', id, '--cmd', 'echo up; sleep 300', '--timeout', '200'];
    const commands = [begin(args), begin(args)];
    await until('the commands run', () => commands.every(({said}) => said() === 'up\n'));
    process.kill(each.of(await whenOnly('running'))?.pid ?? 0, 'SIGKILL');
    const killedAt = Date.now();
    for (const {ended} of commands) {
      const {code, stderr} = await ended;
      expect(code).toBe(125);
      const [line = {}, ...more] = jsonLines(stderr);
      expect(more).toEqual([]);
      expect(line).toMatchObject({message: 'vm exec failed', origin: 'agent', code: 'GUEST_FAILED'});
      expect(line.details).not.toEqual([]);
    }
    expect(Date.now() - killedAt).toBeLessThan(5_000);
    await untilIdle();
    expect(await vms()).toMatchObject([{status: each.status}]);
    expect((await vm([...runIn(id), 'true'])).code).toBe(0);
    expect(await vms()).toMatchObject([{status: 'running', failure: null}]);
  });

  it.each([
    ['stops all that it may', 'STOP', 124],
    ['kills all that it may', 'KILL', agentIsFirst ? 124 : 125],
  ])('a guest that %s, the agent included, is ended in time', async (_, signal, code) => {
    const startedAt = Date.now();
    const result = await vm([...temp, '--cmd', `kill -${signal} -1; sleep 100`, '--timeout', '4s']);
    expect(Date.now() - startedAt).toBeLessThan(60_000);
    expect(result.code).toBe(code);
    expect(result.events.filter(({level}) => level === 'error')).toHaveLength(1);
    expect(await leftoversOf(state)).toEqual(nothing);
  });
});

/** A command that succeeds once no process of the guest's has such a command line. */
const untilGone = (pattern: string): string =>
  `while cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -q '${pattern}'; do sleep 0.2; done`;

/** Field 5 of proc(5)'s stat. */
const processGroup = (pid: number): number =>
  Number(
    readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')[2],
  );
