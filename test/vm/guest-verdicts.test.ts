/** What only a real guest shows: its limits, its files, its clock, its terminals and how fast it starts a command. */
import {text} from 'node:stream/consumers';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {ExecRequest, ExitStatus} from '../../src/guest/guest.js';
import {type BootedGuest, bootGuest, shell} from '../support/booted-guest.js';
import {type LauncherFixture, makeFixture} from './launcher-fixture.js';

let fixture: LauncherFixture;
let vm: BootedGuest;
beforeAll(async () => {
  fixture = await makeFixture();
  vm = await bootGuest(fixture.launcher, fixture.spec('verdicts-1'));
});
afterAll(async () => {
  await vm?.machine.kill();
  fixture?.remove();
});

const request = (script: string, more: Partial<ExecRequest> = {}): ExecRequest => ({
  argv: ['/bin/sh', '-c', script],
  env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=dumb'],
  cwd: '/',
  user: '',
  ...more,
});

const run = async (
  script: string,
  more: Partial<ExecRequest> = {},
): Promise<ExitStatus & {readonly output: string}> => {
  const session = vm.guest.exec(request(script, more));
  session.stdin.end();
  session.stderr.resume();
  const [output, exit] = await Promise.all([text(session.stdout), session.exit]);
  return {...exit, output};
};

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

describe('the verdict on limits', () => {
  it('is none for a command that met none', async () => {
    const {code, limits, elapsedMs} = await run('sleep 0.3');
    expect({code, limits}).toEqual({code: 0, limits: {processes: false, disk: false}});
    expect(elapsedMs).toBeGreaterThanOrEqual(300);
    expect(elapsedMs).toBeLessThan(10_000);
  });

  it('names the processes that a command was refused, and no later one', async () => {
    const bombed = await run('i=0; while [ $i -lt 5000 ]; do sleep 1000 & i=$((i+1)); done 2>/dev/null');
    expect(bombed.limits).toEqual({processes: true, disk: false});
    await shell(vm.guest, 'kill -9 -1');
    for (let i = 0; i < 20; i++) {
      const next = await run('true');
      expect([next.code, next.limits.processes]).toEqual([0, false]);
    }
  });

  it('names a disk that was full when the command ended', async () => {
    const filled = await run('dd if=/dev/zero of=/big bs=64k; exit 3');
    expect([filled.code, filled.limits]).toEqual([3, {processes: false, disk: true}]);
    expect((await run('true')).limits.disk).toBe(true);
    expect((await run('rm /big')).limits).toEqual({processes: false, disk: false});
  });

  it('names memory only where the kernel ended a process for it', async () => {
    const eaten = await run('head -c 1000000000 /dev/zero | tail', {});
    expect(eaten.oom).toBe(true);
    expect((await run('true')).oom).toBe(false);
  });
});

describe('the verdict on /out', () => {
  it.each([
    ['nothing in it', 'true', false],
    ['a file', 'echo >/out/file', true],
    ['a hidden one', 'rm /out/file; echo >/out/.hidden', true],
    ['nothing again', 'rm /out/.hidden', false],
    ['a link in its place', 'rmdir /out && ln -s /etc /out', false],
    ['a file in its place', 'rm /out && echo >/out', false],
    ['no /out', 'rm /out', false],
    ['a folder in it', 'mkdir -p /out/folder', true],
  ])('is right with %s', async (_, script, hasOut) => {
    const {code, hasOut: found} = await run(script);
    expect([code, found]).toEqual([0, hasOut]);
  });
});

describe('the clock', () => {
  /** Milliseconds from the monotonic clock to that of the day, as the kernel itself has it. */
  const readOffset = async (): Promise<number> => {
    const find = "awk '/index: *1$/ {found = 1} found && /offset:/ {print $2; exit}' /proc/timer_list";
    return Number(await shell(vm.guest, find)) / 1e6;
  };

  it('is set when it is wrong, and left alone when it is nearly right', async () => {
    await vm.guest.sync(10_000);
    const right = await readOffset();
    expect(Math.abs(Number(await shell(vm.guest, 'date +%s')) * 1000 - Date.now())).toBeLessThan(10_000);
    await shell(vm.guest, 'date -s "+1 hour"');
    expect((await readOffset()) - right).toBeGreaterThan(3_000_000);
    await vm.guest.sync(10_000);
    expect(Math.abs((await readOffset()) - right)).toBeLessThan(5000);
    // How far that gets is a matter of how long the guest takes for it.
    const isNear = async () => {
      await vm.guest.sync(10_000);
      await shell(vm.guest, 'date -s "$(date -d "+0.3 seconds" "+%F %T.%N")"');
      const near = await readOffset();
      await vm.guest.sync(10_000);
      return (await readOffset()) === near;
    };
    await expect.poll(isNear, {timeout: 60_000}).toBe(true);
  });
});

describe('a terminal', () => {
  it('has a shell with job control, which Ctrl-C does not end', async () => {
    const session = vm.guest.exec(
      request('exec /bin/sh -i', {terminal: {rows: 33, columns: 99}, env: ['PS1=> ', 'PATH=/usr/bin:/bin']}),
    );
    let output = '';
    session.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    const until = (words: string) => expect.poll(() => output, {timeout: 60_000}).toContain(words);
    await until('> ');
    expect(output).not.toContain('job control');
    session.stdin.write('stty size; tty\r');
    await until('33 99\r\n/dev/pts/0\r\n');
    session.stdin.write('sleep 1000\r');
    await until('sleep 1000\r\n');
    session.stdin.write('\x03');
    await until('^C\r\n> ');
    session.resize({rows: 12, columns: 34});
    session.stdin.write('stty size; exit 7\r');
    await until('12 34\r\n');
    expect((await session.exit).code).toBe(7);
  });
});

describe('a session that is ended', () => {
  it('has no process left when its EXIT comes', async () => {
    const session = vm.guest.exec(request('setsid sleep 4321 & setsid setsid sleep 4321 & wait'));
    session.stdout.resume();
    session.stderr.resume();
    const count = async () => Number(await shell(vm.guest, 'cat /proc/[0-9]*/comm | grep -c ^sleep$'));
    await expect.poll(count, {timeout: 30_000}).toBe(2);
    session.kill(15, 'everything');
    expect((await session.exit).signal).toBe(15);
    expect(await count()).toBe(0);
  });
});

describe('the agent', () => {
  it('adds little to the time of a command', async () => {
    const pings: number[] = [];
    const added: number[] = [];
    const own: number[] = [];
    for (let i = 0; i < 100; i++) {
      let start = performance.now();
      await vm.guest.ping(10_000);
      pings.push(performance.now() - start);
      start = performance.now();
      const {elapsedMs} = await run('', {argv: ['true']});
      added.push(performance.now() - start - (elapsedMs ?? Number.NaN));
      own.push(elapsedMs ?? Number.NaN);
    }
    // About 1 ms of 20 on an idle machine; a busy one slows both.
    expect(median(added) - median(pings)).toBeLessThan(Math.max(5, median(own) / 5));
  });
});
