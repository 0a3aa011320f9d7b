import {createHash, randomBytes} from 'node:crypto';
import {expect, test} from 'vitest';
import {eventually} from './eventually.ts';
import {withAgent} from './stdio-agent.ts';
import {initialCredit} from './wire.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

test('carries bytes through a command unchanged, both ways at once', () =>
  withAgent(async ({peer}) => {
    const data = randomBytes(10_000_000);
    const session = peer.exec(['cat']);
    await session.end(data);
    expect((await session.exit).code).toBe(0);
    expect(sha256(Buffer.concat(session.output.stdout))).toBe(sha256(data));
  }));

test('sends no more than its credit, exactly to the last byte', () =>
  withAgent(async ({peer}) => {
    const session = peer.sh('head -c 1000000 /dev/zero', [], {autoCredit: false});
    await eventually(() => session.outputCredit.stdout).toBe(0);
    await peer.ping();
    expect(session.stdout.length).toBe(initialCredit);
    await session.giveCredit('stdout', 1);
    await eventually(() => session.stdout.length).toBe(initialCredit + 1);
    await session.giveCredit('stdout', 1_000_000);
    expect((await session.exit).code).toBe(0);
    expect(session.stdout.length).toBe(1_000_000);
  }));

test('keeps the streams of one session apart in credit', () =>
  withAgent(async ({peer}) => {
    const session = peer.sh('head -c 400000 /dev/zero & head -c 400000 /dev/zero >&2; wait', [], {
      autoCredit: false,
    });
    await eventually(() => session.outputCredit).toEqual({stdout: 0, stderr: 0});
    await session.giveCredit('stderr', 400_000);
    await eventually(() => session.stderr.length).toBe(400_000);
    expect(session.stdout.length).toBe(initialCredit);
    await session.giveCredit('stdout', 400_000);
    expect((await session.exit).code).toBe(0);
    expect(session.stdout.length).toBe(400_000);
  }));

test('lets no session without credit hold up another', () =>
  withAgent(async ({peer}) => {
    const stuck = Array.from({length: 8}, () => peer.exec(['yes'], [], {autoCredit: false}));
    await eventually(() => stuck.every((session) => session.outputCredit.stdout === 0)).toBe(true);
    const started = performance.now();
    expect((await peer.run('head -c 3000000 /dev/zero | wc -c')).stdout.trim()).toBe('3000000');
    expect(await peer.ping()).toBeLessThan(5000);
    expect(performance.now() - started).toBeLessThan(15_000);
    for (const session of stuck) await session.signal(9, 1);
    for (const session of stuck) {
      await session.giveCredit('stdout', 1_000_000);
      expect((await session.exit).signal).toBe(9);
    }
  }));

test('shares the channel among sessions that all flood it', () =>
  withAgent(async ({peer}) => {
    const received = [0, 0, 0, 0];
    const sessions = received.map((_, i) =>
      peer.exec(['yes'], [], {
        onOutput: (chunk) => {
          received[i] = (received[i] ?? 0) + chunk.length;
        },
      }),
    );
    await eventually(() => Math.min(...received)).toBeGreaterThan(5_000_000);
    expect(await peer.ping()).toBeLessThan(5000);
    for (const session of sessions) await session.signal(15, 0);
    for (const session of sessions) expect((await session.exit).signal).toBe(15);
  }));

test('does not forget input that the command takes late', () =>
  withAgent(async ({peer}) => {
    const session = peer.sh('sleep 0.3; wc -c');
    await session.end(Buffer.alloc(initialCredit));
    expect((await session.exit).code).toBe(0);
    expect(session.stdout.trim()).toBe(String(initialCredit));
  }));

test('takes input for a command that has closed its own, and gives the credit back', () =>
  withAgent(async ({peer}) => {
    const session = peer.sh('exec 0<&-; echo closed; sleep 1; echo done');
    while (session.stdout === '') await peer.ping();
    await session.end(Buffer.alloc(2_000_000));
    expect((await session.exit).code).toBe(0);
    expect(session.stdout).toBe('closed\ndone\n');
  }));

test('ends a command that reads, at STDIN_EOF without a byte', () =>
  withAgent(async ({peer}) => {
    const session = peer.exec(['cat']);
    await session.end();
    expect(await session.exit).toMatchObject({code: 0});
  }));

test('survives commands that close their output', () =>
  withAgent(async ({peer}) => {
    const exit = await peer.run('exec >&- 2>&-; exit 4');
    expect(exit).toMatchObject({code: 4, stdout: '', stderr: ''});
  }));

test('sends what the pipes hold at the end of the command, then EXIT', () =>
  withAgent(async ({peer}) => {
    for (let i = 0; i < 50; i++) {
      const {stdout, stderr} = await peer.run('printf %60000d 1; printf %60000d 2 >&2');
      expect([stdout.length, stderr.length]).toEqual([60_000, 60_000]);
    }
  }));

test('waits with EXIT until output is taken', () =>
  withAgent(async ({peer}) => {
    const session = peer.sh('head -c 300000 /dev/zero', [], {autoCredit: false});
    await eventually(() => session.outputCredit.stdout).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(session.ended).toBe(false);
    await session.giveCredit('stdout', 300_000);
    await session.exit;
    expect(session.stdout.length).toBe(300_000);
  }));
