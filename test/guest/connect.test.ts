import {getEventListeners} from 'node:events';
import {describe, expect, it} from 'vitest';
import {type ConnectOptions, connectGuest} from '../../src/guest/connect.js';
import {stringField, u32Field, u64Field} from '../../src/guest/field-encoder.js';
import {encodeFrame} from '../../src/guest/frame-encoder.js';
import type {Guest} from '../../src/guest/guest.js';
import {FrameType, Tag} from '../../src/guest/protocol.js';
import {command, connectFake, createFakeGuest, exited, type FakeGuest} from './fake-guest.js';

const connect = (fake: FakeGuest, options: Partial<ConnectOptions> = {}): Promise<Guest> =>
  connectGuest({
    channel: fake.channel,
    timeoutMs: 5000,
    signal: new AbortController().signal,
    lastLines: () => ['Kernel panic - not syncing'],
    ...options,
  });

describe('waiting for the agent', () => {
  it('resolves with what HELLO says', async () => {
    const fake = createFakeGuest();
    const phase = Buffer.concat([u64Field(0, 1500n).value, Buffer.from('mount')]);
    fake.hello({tag: Tag.PHASE, value: phase}, {tag: 200, value: Buffer.from('from the future')});
    const {hello} = await connect(fake);
    expect(hello).toEqual({
      version: 1,
      kernel: '6.8.0-test',
      machine: 'x86_64',
      memoryBytes: 268_435_456,
      phases: [{name: 'mount', atMs: 1.5}],
    });
  });

  it('reads a HELLO that comes byte by byte', async () => {
    const fake = createFakeGuest();
    const whole = createFakeGuest();
    whole.hello();
    const frame: Buffer =
      whole.channel.read() ?? (await new Promise((resolve) => whole.channel.once('data', resolve)));
    const connected = connect(fake);
    for (const byte of frame) fake.socket.write(Buffer.from([byte]));
    expect((await connected).hello.kernel).toBe('6.8.0-test');
  });

  it('fails at the deadline with the last console lines, and destroys the channel', async () => {
    const fake = createFakeGuest();
    await expect(connect(fake, {timeoutMs: 20})).rejects.toMatchObject({
      code: 'DEADLINE',
      message: expect.stringContaining('waiting for the guest agent took longer than'),
      details: ['last console lines:', 'Kernel panic - not syncing'],
    });
    expect(fake.channel.destroyed).toBe(true);
  });

  it('fails as a failed boot when the channel ends first', async () => {
    const fake = createFakeGuest();
    fake.end();
    await expect(connect(fake)).rejects.toMatchObject({
      code: 'BOOT_FAILED',
      details: ['last console lines:', 'Kernel panic - not syncing'],
    });
  });

  it('fails as a failed boot when the channel had ended before', async () => {
    const abort = new AbortController();
    const fake = createFakeGuest();
    fake.channel.destroy();
    await expect(connect(fake, {signal: abort.signal})).rejects.toMatchObject({code: 'BOOT_FAILED'});
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
  });

  it('keeps the cause when the channel breaks', async () => {
    const fake = createFakeGuest();
    const connected = connect(fake);
    fake.channel.destroy(new Error('ECONNRESET'));
    await expect(connected).rejects.toMatchObject({code: 'BOOT_FAILED', cause: {message: 'ECONNRESET'}});
  });

  it('can be interrupted, also before it starts', async () => {
    const abort = new AbortController();
    const connected = connect(createFakeGuest(), {signal: abort.signal});
    abort.abort();
    await expect(connected).rejects.toMatchObject({code: 'INTERRUPTED'});
    await expect(connect(createFakeGuest(), {signal: abort.signal})).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
  });

  it('refuses another version of the protocol', async () => {
    const fake = createFakeGuest();
    fake.hello(u32Field(Tag.VERSION, 2));
    await expect(connect(fake)).rejects.toMatchObject({
      code: 'GUEST_PROTOCOL',
      message: 'The guest broke the protocol: it speaks version 2, not 1.',
    });
  });

  it('refuses what is no agent at all', async () => {
    const fake = createFakeGuest();
    fake.socket.write('Welcome to GRUB! Press any key\n');
    await expect(connect(fake)).rejects.toMatchObject({code: 'GUEST_PROTOCOL'});
  });

  it('refuses frames before HELLO', async () => {
    const fake = createFakeGuest();
    fake.exit(1, exited(0));
    await expect(connect(fake)).rejects.toMatchObject({code: 'GUEST_PROTOCOL'});
  });

  it('shows why the agent gave up, without its escape sequences', async () => {
    const fake = createFakeGuest();
    fake.send({
      type: FrameType.ERROR,
      session: 0,
      payload: Buffer.from(`no \u001b[31mroot\n${'x'.repeat(5000)}`),
    });
    const error: Error = await connect(fake).then(
      () => new Error('connected'),
      (thrown) => thrown,
    );
    expect(error.message).toMatch(/^The guest agent gave up: no \?\[31mroot\?x+…$/);
    expect(error.message.length).toBeLessThan(400);
  });

  it('shows names of the guest as printable characters only', async () => {
    const fake = createFakeGuest();
    fake.hello(stringField(Tag.KERNEL, `6\u001b]0;owned\u0007${'k'.repeat(200)}`));
    const {hello} = await connect(fake);
    expect(hello.kernel).toBe(`6?]0;owned?${'k'.repeat(53)}`);
  });
});

describe('the end of the channel', () => {
  it('rejects open sessions and says why', async () => {
    const {fake, guest} = await connectFake();
    const session = guest.exec(command);
    fake.end();
    const expected = {code: 'GUEST_FAILED', details: ['last console lines:', 'the console said this']};
    await expect(session.exit).rejects.toMatchObject(expected);
    expect(await guest.closed).toMatchObject(expected);
    expect(() => guest.exec(command)).toThrow(expect.objectContaining(expected));
    await expect(guest.ping(1000)).rejects.toMatchObject(expected);
  });

  it('keeps what a command wrote before it', async () => {
    const {fake, guest} = await connectFake();
    const session = guest.exec(command);
    fake.send({type: FrameType.STDOUT, session: 1, payload: Buffer.from('last words')});
    fake.end();
    await guest.closed;
    expect(await session.stdout.toArray()).toEqual([Buffer.from('last words')]);
  });

  it('is no error when it was asked for', async () => {
    const {guest} = await connectFake();
    const session = guest.exec(command);
    guest.close();
    guest.close();
    expect(await guest.closed).toBeUndefined();
    await expect(session.exit).rejects.toMatchObject({code: 'GUEST_FAILED'});
  });

  it('is no error after a shutdown', async () => {
    const {fake, guest} = await connectFake();
    const down = guest.shutdown({graceMs: 100, timeoutMs: 5000});
    await fake.next(FrameType.SHUTDOWN);
    fake.send({type: FrameType.SHUTDOWN, session: 0});
    await down;
    fake.end();
    expect(await guest.closed).toBeUndefined();
  });

  it('leaves no listener behind after hundreds of sessions', async () => {
    const {fake, guest} = await connectFake();
    const before = fake.channel.eventNames().map((name) => fake.channel.listenerCount(name));
    const sessions = Array.from({length: 300}, () => guest.exec(command));
    for (let id = 1; id <= 300; id += 1) fake.exit(id, exited(id % 256));
    const codes = await Promise.all(sessions.map(async (session) => (await session.exit).code));
    expect(codes).toEqual(sessions.map((_session, index) => (index + 1) % 256));
    expect(fake.channel.eventNames().map((name) => fake.channel.listenerCount(name))).toEqual(before);
  });
});

describe('questions to the agent', () => {
  it('pings', async () => {
    const {fake, guest} = await connectFake();
    const alive = guest.ping(5000);
    const {payload} = await fake.next(FrameType.PING);
    fake.send({type: FrameType.PONG, session: 0, payload});
    await alive;
  });

  it('gives up a ping at its deadline, and is not confused by the late answer', async () => {
    const {fake, guest} = await connectFake();
    await expect(guest.ping(10)).rejects.toMatchObject({
      code: 'DEADLINE',
      details: ['last console lines:', 'the console said this'],
    });
    const late = await fake.next(FrameType.PING);
    const alive = guest.ping(5000);
    const {payload} = await fake.next(FrameType.PING);
    fake.send(
      {type: FrameType.PONG, session: 0, payload: late.payload},
      {type: FrameType.PONG, session: 0, payload},
    );
    await alive;
  });

  it('closes the channel when the answer is another', async () => {
    const {fake, guest} = await connectFake();
    const alive = guest.ping(5000);
    fake.send({type: FrameType.PONG, session: 0, payload: Buffer.alloc(8)});
    await expect(alive).rejects.toMatchObject({code: 'GUEST_PROTOCOL'});
  });

  it('sends the time and fresh entropy', async () => {
    const {fake, guest} = await connectFake();
    const synced = guest.sync(5000);
    const {payload} = await fake.next(FrameType.SYNC);
    const nowNs = payload.readBigUInt64LE(5);
    expect(Math.abs(Number(nowNs / 1_000_000n) - Date.now())).toBeLessThan(10_000);
    expect(payload.readUInt8(13)).toBe(Tag.ENTROPY);
    expect(payload.readUInt32LE(14)).toBe(64);
    fake.send({type: FrameType.SYNC, session: 0});
    await synced;
  });
});

describe('a hostile guest', () => {
  const violations: Readonly<Record<string, (fake: FakeGuest) => void>> = {
    'an unknown type': (fake) => fake.send({type: 99, session: 0}),
    'a type of the host': (fake) => fake.send({type: FrameType.EXEC, session: 1}),
    'a second HELLO': (fake) => fake.hello(),
    'a session that never was': (fake) => fake.exit(7, exited(0)),
    'a session that has ended': (fake) => {
      fake.exit(1, exited(0));
      fake.exit(1, exited(0));
    },
    'output on session 0': (fake) =>
      fake.send({type: FrameType.STDOUT, session: 0, payload: Buffer.from('x')}),
    'a length below the least': (fake) => fake.socket.write(Buffer.alloc(9)),
    'a length above the most': (fake) => fake.socket.write(Buffer.from('ffffffff05', 'hex')),
    'more output than credit': (fake) =>
      fake.send({type: FrameType.STDOUT, session: 1, payload: Buffer.alloc(262_145)}),
    'credit that overflows': (fake) =>
      fake.send({type: FrameType.WINDOW, session: 1, payload: Buffer.from('00ffffffff', 'hex')}),
    'credit for output': (fake) =>
      fake.send({type: FrameType.WINDOW, session: 1, payload: Buffer.from('0100000000', 'hex')}),
    'a WINDOW of the wrong size': (fake) =>
      fake.send({type: FrameType.WINDOW, session: 1, payload: Buffer.alloc(6)}),
    'PONG unasked': (fake) => fake.send({type: FrameType.PONG, session: 0, payload: Buffer.alloc(8)}),
    'SUSPEND unasked': (fake) => fake.send({type: FrameType.SUSPEND, session: 0}),
    'SUSPEND with a payload': (fake) =>
      fake.send({type: FrameType.SUSPEND, session: 0, payload: Buffer.alloc(1)}),
    'START, which is the host’s': (fake) => fake.send({type: FrameType.START, session: 0}),
    'SYNC unasked': (fake) => fake.send({type: FrameType.SYNC, session: 0}),
    'EXIT without an ending': (fake) => fake.exit(1),
    'EXIT with two endings': (fake) => fake.exit(1, exited(0), u32Field(Tag.SIGNAL, 9)),
    'EXIT with one field twice': (fake) => fake.exit(1, exited(0), exited(0)),
    'EXIT with code 256': (fake) => fake.exit(1, exited(256)),
    'EXIT with signal 0': (fake) => fake.exit(1, u32Field(Tag.SIGNAL, 0)),
    'EXIT with a short integer': (fake) => fake.exit(1, {tag: Tag.CODE, value: Buffer.alloc(3)}),
    'a number beyond all measure': (fake) => fake.exit(1, exited(0), u64Field(Tag.CPU, 2n ** 64n - 1n)),
    'a string with a NUL': (fake) => fake.exit(1, exited(0), stringField(Tag.REASON, 'a\0b')),
    'a field longer than its frame': (fake) =>
      fake.send({type: FrameType.EXIT, session: 1, payload: Buffer.from('30ffffff7f00', 'hex')}),
    'half a field': (fake) =>
      fake.send({type: FrameType.EXIT, session: 1, payload: Buffer.from('3004', 'hex')}),
  };

  it.each(Object.entries(violations))('is cut off for %s', async (_name, violate) => {
    const {fake, guest} = await connectFake();
    const session = guest.exec(command);
    violate(fake);
    await expect(guest.closed).resolves.toMatchObject({
      code: 'GUEST_PROTOCOL',
      message: expect.stringMatching(/^The guest broke the protocol: .+\.$/),
      details: ['last console lines:', 'the console said this'],
    });
    expect(fake.channel.destroyed).toBe(true);
    await session.exit.catch(() => {});
  });

  it('is not obeyed in what it sends after its violation', async () => {
    const {fake, guest} = await connectFake();
    const session = guest.exec(command);
    fake.socket.write(
      Buffer.concat([
        encodeFrame({type: 99, session: 0}),
        encodeFrame({type: FrameType.STDOUT, session: 1, payload: Buffer.from('too late')}),
      ]),
    );
    await expect(session.exit).rejects.toMatchObject({code: 'GUEST_PROTOCOL'});
    expect(await session.stdout.toArray()).toEqual([]);
  });
});
