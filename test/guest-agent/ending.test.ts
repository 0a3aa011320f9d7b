import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {eventually} from './eventually.ts';
import {withAgent} from './stdio-agent.ts';
import {initialCredit, Tag, Type, terminalSize} from './wire.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Ends by itself at SIGTERM, while what it started takes its time; what that prints then still comes. */
const slowChild = `(trap 'sleep 0.4; echo late; exit' TERM; while :; do sleep 0.02; done) & echo ready; wait`;

test('holds EXIT back after SIGTERM to everything until nothing is left', () =>
  withAgent(async ({peer}) => {
    const session = peer.sh(slowChild);
    while (session.stdout === '') await peer.ping();
    await pause(100);
    const started = performance.now();
    await session.signal(15, 1);
    expect((await session.exit).signal).toBe(15);
    expect(performance.now() - started).toBeGreaterThan(350);
    expect(session.stdout).toBe('ready\nlate\n');
  }));

test('does not hold EXIT back for a signal to the command alone', () =>
  withAgent(async ({peer}) => {
    const session = peer.sh(slowChild);
    while (session.stdout === '') await peer.ping();
    await session.signal(15, 0);
    const other = peer.sh("setsid sh -c 'echo $$; exec sleep 1000' & exec sleep 1000");
    while (other.stdout === '') await peer.ping();
    await other.signal(15, 0);
    expect((await other.exit).signal).toBe(15);
    expect((await peer.run(`kill ${other.stdout}`)).code).toBe(0);
  }));

test('reaches what is left with SIGKILL while EXIT is held back', () =>
  withAgent(async ({peer}) => {
    for (const rows of [[], [[Tag.terminal, terminalSize(24, 80)]]] as const) {
      const session = peer.sh(
        `trap '' HUP; setsid sh -c 'trap "" TERM HUP; echo deaf; while :; do sleep 0.02; done' & exec sleep 1000`,
        rows,
      );
      while (!session.stdout.includes('deaf')) await peer.ping();
      await session.signal(15, 1);
      await pause(300);
      expect(session.ended).toBe(false);
      await session.signal(9, 1);
      expect((await session.exit).signal).toBe(15);
    }
  }));

test('ends a session that ended by itself and left nothing without delay', () =>
  withAgent(async ({peer}) => {
    const session = peer.sh('echo ready; exec sleep 1000');
    while (session.stdout === '') await peer.ping();
    await session.signal(9, 1);
    expect((await session.exit).signal).toBe(9);
  }));

test('lets no host that gives no credit hold up EXIT after SIGKILL', () =>
  withAgent(async ({peer}) => {
    const session = peer.exec(['yes'], [], {autoCredit: false});
    await eventually(() => session.outputCredit.stdout).toBe(0);
    await session.signal(9, 1);
    const started = performance.now();
    expect((await session.exit).signal).toBe(9);
    expect(performance.now() - started).toBeGreaterThan(700);
    expect(session.stdout.length).toBe(initialCredit);
  }));

test('owes what the pipes hold after SIGKILL to a host that gives credit', () =>
  withAgent(async ({peer}) => {
    const session = peer.sh('head -c 300000 /dev/zero; sleep 1000', [], {autoCredit: false});
    await eventually(() => session.outputCredit.stdout).toBe(0);
    await pause(100);
    await session.signal(9, 1);
    await session.giveCredit('stdout', 300_000);
    expect((await session.exit).signal).toBe(9);
    expect(session.stdout.length).toBe(300_000);
  }));

test('ends a PUT that the host gives up', () =>
  withAgent(async ({peer}) => {
    const folder = mkdtempSync(join(tmpdir(), 'guest-agent-'));
    try {
      const session = peer.open(Type.put, [[Tag.path, folder]]);
      await session.write(Buffer.alloc(100));
      await session.signal(9, 1);
      expect(await session.exit).toMatchObject({code: 1, reason: 'transfer: ended by signal 9'});
    } finally {
      rmSync(folder, {recursive: true, force: true});
    }
  }));

test('says how long a command took, and of files and limits only what it may say outside of a VM', () =>
  withAgent(async ({peer}) => {
    const {elapsedUs, out, limits} = await peer.run('sleep 0.3');
    expect(elapsedUs).toBeGreaterThan(300_000);
    expect(elapsedUs).toBeLessThan(20_000_000);
    expect({out, limits}).toEqual({out: undefined, limits: undefined});
    const refused = await peer.exec(['/no/such']).exit;
    expect(refused.elapsedUs).toBeUndefined();
    /* What the command left behind is not its time. */
    const left = await peer.run('sleep 1000 >/dev/null 2>&1 & echo $!');
    expect(left.elapsedUs).toBeLessThan(20_000_000);
    await peer.run(`kill ${left.stdout}`);
  }));
