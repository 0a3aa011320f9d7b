import {randomBytes} from 'node:crypto';
import {text} from 'node:stream/consumers';
import {afterEach, describe, expect, it} from 'vitest';
import {stringField, u32Field} from '../../src/guest/field-encoder.js';
import {FrameType, INITIAL_CREDIT, StreamNumber, Tag} from '../../src/guest/protocol.js';
import {encodeWindow} from '../../src/guest/requests.js';
import {KEPT_BYTES} from '../../src/monitor/kept-output.js';
import {command, exited} from '../guest/fake-guest.js';
import {noAgentReason, startAgent} from '../guest/real-agent.js';
import {until} from '../support/until.js';
import {serve, serveFake, shellRequest} from './serving.js';

const size = {rows: 24, columns: 80};
const running: {readonly stop: () => void}[] = [];

const start = async (): ReturnType<typeof serveFake> => {
  const served = await serveFake();
  running.push(served);
  return served;
};

afterEach(() => {
  for (const each of running.splice(0)) each.stop();
});

/** Reads what is there until so many bytes have come. */
const read = async (stream: AsyncIterable<Buffer>, bytes: number): Promise<Buffer> => {
  const iterator = stream[Symbol.asyncIterator]();
  const parts: Buffer[] = [];
  for (let left = bytes; left > 0; ) {
    const {value, done} = await iterator.next();
    if (done) throw new Error('the stream ended early');
    parts.push(value);
    left -= value.length;
  }
  return Buffer.concat(parts);
};

describe('a command that its client has left', () => {
  it('goes on, and the next client begins with the last 64 KiB of what it said', async () => {
    const {connect, fake, relay} = await start();
    const first = await connect();
    const session = first.guest.exec(command);
    await fake.next(FrameType.EXEC);
    await first.detach(session);
    first.close();
    expect(relay.detached).toMatchObject([{session: 1}]);
    const said = randomBytes(200_000);
    for (let at = 0; at < said.length; at += 50_000)
      fake.send({type: FrameType.STDOUT, session: 1, payload: said.subarray(at, at + 50_000)});
    await until('the relay has taken it', () => (fake.credit.get('1/1') ?? 0) > 0);
    const second = await connect();
    expect(second.status.detached).toMatchObject([{session: 1}]);
    const taken = second.attach(1, size);
    expect(await read(taken.stdout, KEPT_BYTES)).toEqual(said.subarray(-KEPT_BYTES));
    expect(relay.detached).toEqual([]);
    fake.send({type: FrameType.STDOUT, session: 1, payload: Buffer.from('more')});
    fake.exit(1, exited(7));
    expect(await text(taken.stdout)).toBe('more');
    expect((await taken.exit).code).toBe(7);
  });

  it('may say as much as it likes while nobody listens, also where its client had stopped reading', async () => {
    const {connect, fake} = await start();
    const first = await connect();
    const session = first.guest.exec(command);
    await fake.next(FrameType.EXEC);
    for (const type of [FrameType.STDOUT, FrameType.STDERR])
      fake.send({type, session: 1, payload: Buffer.alloc(INITIAL_CREDIT)});
    const pong = first.guest.ping(5_000); // its answer comes behind all that
    const {payload} = await fake.next(FrameType.PING);
    fake.send({type: FrameType.PONG, session: 0, payload});
    await pong;
    expect(fake.credit.size).toBe(0);
    await first.detach(session);
    await until('both streams have their credit again', () =>
      ['1/1', '1/2'].every((stream) => fake.credit.get(stream) === INITIAL_CREDIT),
    );
  });

  it('is left and taken up a hundred times with the credit exact on both sides', {
    timeout: 60_000,
  }, async () => {
    const {connect, fake} = await start();
    let sent = 0;
    /** What the guest may still say. */
    const left = (): number => INITIAL_CREDIT + (fake.credit.get('1/1') ?? 0) - sent;
    let client = await connect();
    let session = client.guest.exec(command);
    await fake.next(FrameType.EXEC);
    const say = (bytes: number, type: number = FrameType.STDOUT): void => {
      for (let at = 0; at < bytes; at += 10_000)
        fake.send({type, session: 1, payload: randomBytes(Math.min(bytes - at, 10_000))});
      if (type === FrameType.STDOUT) sent += bytes;
    };
    for (let round = 0; round < 100; round += 1) {
      say(1 + ((round * 7919) % 150_000));
      if (round % 3 === 0) session.stdout.resume();
      session.stdin.write(Buffer.alloc(1_000));
      await fake.next(FrameType.STDIN);
      fake.send({type: FrameType.WINDOW, session: 1, payload: encodeWindow(StreamNumber.stdin, 1_000)});
      await client.detach(session);
      say((round * 104_729) % 100_000);
      say((round * 31) % 70_000, FrameType.STDERR);
      client.close();
      client = await connect();
      session = client.attach(1, size);
      for (const type of [FrameType.RESIZE, FrameType.RESIZE]) await fake.next(type);
      expect(left()).toBeGreaterThanOrEqual(0);
      expect(left()).toBeLessThanOrEqual(INITIAL_CREDIT);
    }
    // All that is owed comes back once somebody reads: nothing was lost and nothing given twice.
    session.stdout.resume();
    session.stderr.resume();
    await client.detach(session);
    await until('the credit is whole', () => left() === INITIAL_CREDIT);
    const last = await connect();
    const end = last.attach(1, size);
    end.stdin.write(Buffer.alloc(INITIAL_CREDIT));
    for (const type of [FrameType.RESIZE, FrameType.RESIZE]) await fake.next(type);
    for (let got = 0; got < INITIAL_CREDIT; ) got += (await fake.next(FrameType.STDIN)).payload.length;
  });

  it('can be taken up once, and the second who tries hears so', async () => {
    const {connect, fake} = await start();
    const first = await connect();
    const session = first.guest.exec(command);
    await fake.next(FrameType.EXEC);
    await first.detach(session);
    const [second, third] = await Promise.all([connect(), connect()]);
    const taken = second.attach(1, size);
    await fake.next(FrameType.RESIZE);
    expect(await third.attach(1, size).exit).toMatchObject({
      code: 125,
      reason: 'there is no such shell any more',
    });
    fake.exit(1, exited(0));
    expect((await taken.exit).code).toBe(0);
  });

  it('that has ended meanwhile is not there any more', async () => {
    const {connect, fake, relay} = await start();
    const first = await connect();
    const session = first.guest.exec(command);
    await fake.next(FrameType.EXEC);
    await first.detach(session);
    fake.exit(1, exited(0));
    await until('it is gone', () => relay.detached.length === 0);
    expect((await first.attach(1, size).exit).code).toBe(125);
  });

  it('takes no input after its end, and does not mind being given some', async () => {
    const {connect, fake} = await start();
    const first = await connect();
    const session = first.guest.exec(command);
    session.stdin.end();
    await fake.next(FrameType.EXEC);
    await fake.next(FrameType.STDIN_EOF);
    await first.detach(session);
    const second = await connect();
    const taken = second.attach(1, size);
    await new Promise<void>((resolve) => {
      taken.stdin.write(Buffer.alloc(3 * INITIAL_CREDIT), () => resolve());
    });
    taken.stdin.end();
    fake.exit(1, u32Field(Tag.SIGNAL, 1), stringField(Tag.REASON, 'gone'));
    expect(await taken.exit).toMatchObject({signal: 1});
  });

  it('cannot be a transfer', async () => {
    const {connect, connectRaw, fake} = await start();
    const other = await connect();
    const raw = await connectRaw();
    const source = other.guest.get('/tmp', {maxBytes: 1, maxEntries: 1});
    const request = await fake.next(FrameType.GET);
    raw.send({type: FrameType.GET, session: 1, payload: request.payload}, {type: 66, session: 1});
    expect(String((await raw.first(64)).payload)).toContain('DETACH of a transfer');
    source.destroy();
  });
});

describe.skipIf(noAgentReason !== undefined)('a real shell', () => {
  it('is left, goes on, and is taken up on a terminal of another size', {timeout: 60_000}, async () => {
    const agent = await startAgent();
    const served = await serve(agent);
    try {
      const first = await served.connect();
      const request = {...shellRequest('exec sh -i'), terminal: {rows: 10, columns: 20}};
      const session = first.guest.exec(request);
      session.stdin.write('V=kept; sleep 0.5; echo la""ter\n');
      await first.detach(session);
      first.close();
      const [{session: number} = {session: 0}] = served.relay.detached;
      const second = await served.connect();
      const taken = second.attach(number, {rows: 33, columns: 44});
      taken.stdin.write('stty size; echo $V; exit 7\n');
      const said = await text(taken.stdout);
      expect(said).toMatch(/later\r\n[\s\S]*33 44\r\nkept\r\n/);
      expect((await taken.exit).code).toBe(7);
    } finally {
      served.stop();
      await agent.stop();
    }
  });
});
