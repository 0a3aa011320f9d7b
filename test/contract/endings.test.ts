/** Whatever ends the command line or the VMM, nothing of the VMs is left that `list` does not show and `clean` does not remove. */
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterEach, describe, expect, it} from 'vitest';
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
    const isThere = (await vms()).some(({name, status}) => name === 'target' && status === 'ready');
    if (!isThere) await vm(['clean', '--vm', 'target']);
    if (!isThere) await create('--name', 'target');
  };

  describe('kill -9 of the command line', () => {
    it.each([
      {verb: 'create', moments: 6, args: ['create', ...image()], prepare: async () => {}},
      {verb: 'run', moments: 5, args: [...runIn('target'), 'sleep 0.3'], prepare: makeTarget},
      {verb: 'temp', moments: 5, args: [...temp, '--cmd', 'sleep 0.3; echo x'], prepare: async () => {}},
      {verb: 'clean', moments: 4, args: ['clean', '--all'], prepare: makeTarget},
    ])('in $verb, at $moments moments', async ({verb, moments, args, prepare}) => {
      const random = randomSource(verb.length);
      await prepare();
      const whole = await durationOf(args);
      for (let moment = 0; moment < moments; moment++) {
        await prepare();
        const {child, ended} = begin(args);
        await sleep(Math.round(((moment + random(1_000) / 1_000) / moments) * whole));
        child.kill('SIGKILL');
        await ended;
        await untilIdle();
        const shown = new Set((await vms()).map(({id}) => String(id)));
        expect(readdirSync(join(state.path, 'vms')).filter((id) => !shown.has(id))).toEqual([]);
      }
      const ready = (await vms()).find(({status}) => status === 'ready');
      if (ready) expect((await vm([...runIn(String(ready.id)), 'true'])).code).toBe(0);
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

    it.each(['running', 'booting'] as const)('while a run is %s leaves the VM ready', async (status) => {
      const id = await create();
      const {child, ended} = begin([...runIn(id), 'sleep 300', '--timeout', '200'], {env: slowBoot});
      await whenOnly(status);
      child.kill('SIGINT');
      expect((await ended).code).toBe(130);
      expect(isIdle()).toBe(true);
      expect(await vms()).toMatchObject([{status: 'ready', failure: null}]);
    });

    it('from a terminal does not reach the VMM, and sent twice ends everything at once', async () => {
      const id = await create();
      const stubborn = 'trap "" TERM; echo up; sleep 300';
      const {child, ended} = begin(['exec', '--vm', id, '--cmd', stubborn, '--timeout', '200']);
      const {vmm} = await whenOnly('running');
      expect(processGroup(vmm?.pid ?? 0)).not.toBe(processGroup(child.pid ?? 0));
      await until('it has ended', () => !child.kill('SIGINT') || child.exitCode !== null);
      expect((await ended).code).toBe(130);
      await untilIdle();
    });
  });

  it('a VMM that is killed ends the run at once, which says so; the VM works again', async () => {
    const id = await create();
    const {ended} = begin(['run', '--vm', id, '--cmd', 'sleep 300', '--timeout', '200']);
    const {vmm} = await whenOnly('running');
    process.kill(vmm?.pid ?? 0, 'SIGKILL');
    const killedAt = Date.now();
    const {code, stdout} = await ended;
    expect(Date.now() - killedAt).toBeLessThan(15_000);
    expect(code).toBe(125);
    const [line = {}] = jsonLines(stdout);
    expect(line).toMatchObject({message: 'vm run failed', origin: 'agent', code: 'GUEST_FAILED'});
    expect(line.details).not.toEqual([]);
    await untilIdle();
    expect((await vm(['run', '--vm', id, '--cmd', 'true'])).code).toBe(0);
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

/** Field 5 of proc(5)'s stat. */
const processGroup = (pid: number): number =>
  Number(
    readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')[2],
  );
