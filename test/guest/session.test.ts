import {Duplex} from 'node:stream';
import {text} from 'node:stream/consumers';
import {describe, expect, it} from 'vitest';
import {stringField, u32Field, u64Field} from '../../src/guest/field-encoder.js';
import {InputStream} from '../../src/guest/input-stream.js';
import {createLink} from '../../src/guest/link.js';
import {FrameType, INITIAL_CREDIT, Tag} from '../../src/guest/protocol.js';
import {command, connectFake, exited, type FakeGuest} from './fake-guest.js';

const stdout = (session: number, payload: Buffer | string) => ({
  type: FrameType.STDOUT,
  session,
  payload: Buffer.from(payload),
});

const window = (session: number, credit: number) => {
  const payload = Buffer.alloc(5);
  payload.writeUInt32LE(credit, 1);
  return {type: FrameType.WINDOW, session, payload};
};

/** Everything sent before has been handled by the host once it answers. */
const settled = async ({fake, guest}: Awaited<ReturnType<typeof connectFake>>): Promise<void> => {
  const alive = guest.ping(5000);
  const {payload} = await fake.next(FrameType.PING);
  fake.send({type: FrameType.PONG, session: 0, payload});
  await alive;
};

const stdinOf = async (fake: FakeGuest, bytes: number): Promise<Buffer> => {
  const parts: Buffer[] = [];
  for (let seen = 0; seen < bytes; ) {
    const {payload} = await fake.next(FrameType.STDIN);
    parts.push(payload);
    seen += payload.length;
  }
  return Buffer.concat(parts);
};

describe('the end of a session', () => {
  it('says how the command ended', async () => {
    const {fake, guest} = await connectFake();
    const first = guest.exec(command);
    const second = guest.exec(command);
    fake.exit(1, exited(3), u64Field(Tag.CPU, 1500n), u64Field(Tag.MAX_RSS, 4096n));
    fake.exit(
      2,
      u32Field(Tag.SIGNAL, 9),
      u32Field(Tag.OOM, 1),
      u32Field(Tag.ERRNO, 12),
      u64Field(Tag.ELAPSED, 47_500n),
      u32Field(Tag.LIMITS, 3),
      u32Field(Tag.OUT, 1),
      stringField(Tag.REASON, 'a\nb'),
    );
    expect(await first.exit).toEqual({
      code: 3,
      signal: null,
      oom: false,
      cpuMs: 1.5,
      maxRssKib: 4096,
      elapsedMs: null,
      limits: {processes: false, disk: false},
      hasOut: null,
      reason: null,
    });
    expect(await second.exit).toEqual({
      code: null,
      signal: 9,
      oom: true,
      cpuMs: 0,
      maxRssKib: 0,
      elapsedMs: 47.5,
      limits: {processes: true, disk: true},
      hasOut: true,
      reason: 'a?b: out of memory (ENOMEM)',
    });
  });

  it('comes after its output, which can be read later', async () => {
    const {fake, guest} = await connectFake();
    const session = guest.exec(command);
    fake.send(stdout(1, 'one '), stdout(1, 'two '), stdout(1, 'three'));
    fake.exit(1, exited(0));
    await session.exit;
    expect(await text(session.stdout)).toBe('one two three');
    expect(await text(session.stderr)).toBe('');
  });

  it('makes kill do nothing', async () => {
    const connected = await connectFake();
    const {fake, guest} = connected;
    const session = guest.exec(command);
    session.kill(15, 'command');
    await fake.next(FrameType.EXEC);
    expect((await fake.next(FrameType.SIGNAL)).payload).toEqual(Buffer.from([15, 0]));
    fake.exit(1, exited(0));
    await session.exit;
    session.kill(9, 'everything');
    await settled(connected);
  });
});

describe('output', () => {
  it('that nobody reads holds 256 KiB and gets no more credit', async () => {
    const connected = await connectFake();
    const {fake, guest} = connected;
    const session = guest.exec(command);
    await fake.next(FrameType.EXEC);
    fake.send(stdout(1, Buffer.alloc(INITIAL_CREDIT, 'x')));
    await settled(connected);
    expect(fake.credit.size).toBe(0);
    expect(session.stdout.readableLength).toBe(0);
    fake.send(stdout(1, '!'));
    expect(await guest.closed).toMatchObject({code: 'GUEST_PROTOCOL'});
  });

  it('gives credit back in large portions as it is read', async () => {
    const connected = await connectFake();
    const {fake, guest} = connected;
    const session = guest.exec(command);
    await fake.next(FrameType.EXEC);
    const read = text(session.stdout);
    for (let sent = 0; sent < 4 * INITIAL_CREDIT; sent += 1024) {
      fake.send(stdout(1, Buffer.alloc(1024, 'x')));
      if (sent % 65_536 === 0) await settled(connected);
    }
    await settled(connected);
    const owed = 4 * INITIAL_CREDIT - (fake.credit.get('1/1') ?? 0);
    expect(owed).toBeLessThan(INITIAL_CREDIT / 2);
    expect(fake.windows()).toBeLessThanOrEqual(8);
    fake.exit(1, exited(0));
    expect((await read).length).toBe(4 * INITIAL_CREDIT);
  });

  it('that was destroyed is discarded, and the guest may go on', async () => {
    const connected = await connectFake();
    const {fake, guest} = connected;
    const session = guest.exec(command);
    await fake.next(FrameType.EXEC);
    fake.send(stdout(1, Buffer.alloc(INITIAL_CREDIT)));
    await settled(connected);
    session.stdout.destroy(new Error('the reader has gone'));
    await settled(connected);
    fake.send(stdout(1, Buffer.alloc(INITIAL_CREDIT)));
    await settled(connected);
    expect(fake.credit.get('1/1')).toBe(2 * INITIAL_CREDIT);
    fake.exit(1, exited(0));
    expect((await session.exit).code).toBe(0);
  });

  it('in tiny pieces costs no more memory than in large ones', async () => {
    const connected = await connectFake();
    const {fake, guest} = connected;
    const session = guest.exec(command);
    await fake.next(FrameType.EXEC);
    for (let sent = 0; sent < 100_000; sent += 1) fake.send(stdout(1, 'x'));
    await settled(connected);
    const pieces: Buffer[] = [];
    session.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    fake.exit(1, exited(0));
    await new Promise((resolve) => session.stdout.once('end', resolve));
    const kept = pieces.reduce((sum, piece) => sum + piece.buffer.byteLength, 0);
    expect(pieces.reduce((sum, piece) => sum + piece.length, 0)).toBe(100_000);
    expect(kept).toBeLessThan(300_000);
  });

  it('does not keep the chunk that a small piece came in', async () => {
    const {fake, guest} = await connectFake();
    const session = guest.exec(command);
    const pieces: Buffer[] = [];
    session.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    const ended = new Promise((resolve) => session.stdout.once('end', resolve));
    session.stderr.resume();
    const filler = {...stdout(1, Buffer.alloc(60_000)), type: FrameType.STDERR};
    fake.send(stdout(1, 'x'), filler);
    fake.exit(1, exited(0));
    await ended;
    expect(pieces.map((piece) => piece.buffer.byteLength)).toEqual([1]);
  });

  it('takes empty frames as nothing', async () => {
    const {fake, guest} = await connectFake();
    const session = guest.exec(command);
    fake.send(stdout(1, ''), stdout(1, 'x'), stdout(1, ''));
    fake.exit(1, exited(0));
    expect(await text(session.stdout)).toBe('x');
  });

  it('waits with its credit while the guest does not read the channel', async () => {
    const {fake, guest} = await connectFake();
    const session = guest.exec(command);
    await fake.next(FrameType.EXEC);
    session.stdout.resume();
    session.stdin.on('error', () => {});
    fake.socket.pause();
    session.stdin.write(Buffer.alloc(200_000));
    // More than the portion that credit is given back in: the host owes a WINDOW now.
    fake.send(stdout(1, Buffer.alloc(INITIAL_CREDIT)));
    await new Promise((resolve) => session.stdout.once('data', resolve));
    expect(fake.channel.writableNeedDrain).toBe(true);
    expect(fake.channel.writableLength).toBeLessThan(200_000);
    fake.socket.resume();
    expect((await stdinOf(fake, 200_000)).length).toBe(200_000);
    await session.stdin.end();
    await fake.next(FrameType.STDIN_EOF);
    expect(fake.credit.get('1/1')).toBe(INITIAL_CREDIT);
  });
});

describe('input', () => {
  it('stops at the credit and goes on with more', async () => {
    const connected = await connectFake();
    const {fake, guest} = connected;
    const session = guest.exec(command);
    await fake.next(FrameType.EXEC);
    const bytes = Buffer.alloc(300_000).map((_zero, index) => index & 0xff);
    session.stdin.end(bytes);
    const first = await stdinOf(fake, INITIAL_CREDIT);
    await settled(connected);
    fake.send(window(1, 100_000));
    const second = await stdinOf(fake, 300_000 - INITIAL_CREDIT);
    expect(Buffer.concat([first, second]).equals(bytes)).toBe(true);
    await fake.next(FrameType.STDIN_EOF);
  });

  it('ends for the guest when its writer destroys it, once', async () => {
    const connected = await connectFake();
    const {fake, guest} = connected;
    const session = guest.exec(command);
    await fake.next(FrameType.EXEC);
    session.stdin.destroy(new Error('the writer died'));
    session.stdin.destroy();
    await fake.next(FrameType.STDIN_EOF);
    await settled(connected);
  });

  it('is swallowed after EXIT, also what waited for credit', async () => {
    const connected = await connectFake();
    const {fake, guest} = connected;
    const session = guest.exec(command);
    await fake.next(FrameType.EXEC);
    const waiting = new Promise((resolve) => session.stdin.write(Buffer.alloc(1_000_000), resolve));
    await stdinOf(fake, INITIAL_CREDIT);
    fake.exit(1, exited(0));
    expect(await waiting).toBeFalsy();
    expect(await new Promise((resolve) => session.stdin.write('more', resolve))).toBeFalsy();
    await new Promise((resolve) => session.stdin.end(() => resolve(undefined)));
    await settled(connected);
  });

  it('of two sessions takes turns on a slow channel', async () => {
    const order: number[] = [];
    const channel = new Duplex({
      read: () => {},
      write: (frame: Buffer, _encoding, done) => {
        order.push(frame.readUInt32LE(5));
        setImmediate(done);
      },
    });
    const link = createLink(channel);
    const streams = [1, 2].map((session) => new InputStream({session, link, credit: INITIAL_CREDIT}));
    await Promise.all(
      streams.map((stream) => new Promise((resolve) => stream.write(Buffer.alloc(4 * 65_536), resolve))),
    );
    // The first had the channel to itself once.
    expect(order).toEqual([1, 1, 2, 1, 2, 1, 2, 2]);
  });
});
