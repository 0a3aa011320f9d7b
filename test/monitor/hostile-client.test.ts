import {text} from 'node:stream/consumers';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {
  bytesField,
  encodeFields,
  type Field,
  stringField,
  u32Field,
  u64Field,
} from '../../src/guest/field-encoder.js';
import {encodeFrame, type Frame} from '../../src/guest/frame-encoder.js';
import {FrameType, INITIAL_CREDIT, MAX_PAYLOAD, Tag} from '../../src/guest/protocol.js';
import {encodeSignal, encodeWindow} from '../../src/guest/requests.js';
import type {RunningGuest} from '../../src/monitor/monitors.js';
import {MonitorFrame} from '../../src/monitor/protocol.js';
import {createRandom} from '../guest/random.js';
import {noAgentReason, type RealAgent, startAgent} from '../guest/real-agent.js';
import {until} from '../support/until.js';
import {type RawClient, type Served, serve, shellRequest} from './serving.js';

const exec = (...fields: Field[]): Frame => ({
  type: FrameType.EXEC,
  session: 1,
  payload: encodeFields(fields),
});
const cat = exec(stringField(Tag.ARG, '/bin/cat'));
const frame = (type: number, session: number, payload: Buffer = Buffer.alloc(0)): Frame => ({
  type,
  session,
  payload,
});
const path = stringField(Tag.PATH, '/tmp');

/** What no client may send, each after `cat` was started as session 1 where that comes first. */
const violations: Readonly<Record<string, readonly Frame[]>> = {
  HELLO: [frame(FrameType.HELLO, 0)],
  'SYNC, which is the monitor’s': [frame(FrameType.SYNC, 0)],
  SHUTDOWN: [frame(FrameType.SHUTDOWN, 0)],
  'SUSPEND, which is the launcher’s': [frame(FrameType.SUSPEND, 0)],
  'SUSPEND in a session': [cat, frame(FrameType.SUSPEND, 1)],
  'START, which is the launcher’s': [
    frame(FrameType.START, 0, encodeFields([stringField(Tag.HOST, 'other')])),
  ],
  ERROR: [frame(FrameType.ERROR, 0)],
  'an unknown type': [frame(200, 1)],
  'EXEC in session 0': [{...cat, session: 0}],
  'a session twice': [cat, cat],
  'sessions downwards': [
    {...cat, session: 9},
    {...cat, session: 8},
  ],
  'STDIN before EXEC': [frame(FrameType.STDIN, 1, Buffer.from('x'))],
  'STDIN beyond its credit': [cat, frame(FrameType.STDIN, 1, Buffer.alloc(INITIAL_CREDIT + 1))],
  'STDIN after its end': [cat, frame(FrameType.STDIN_EOF, 1), frame(FrameType.STDIN, 1, Buffer.from('x'))],
  'two ends of STDIN': [cat, frame(FrameType.STDIN_EOF, 1), frame(FrameType.STDIN_EOF, 1)],
  'an end with bytes': [cat, frame(FrameType.STDIN_EOF, 1, Buffer.from('x'))],
  'signal 0': [cat, frame(FrameType.SIGNAL, 1, Buffer.from([0, 1]))],
  'signal 65': [cat, frame(FrameType.SIGNAL, 1, Buffer.from([65, 1]))],
  'a signal of scope 2': [cat, frame(FrameType.SIGNAL, 1, Buffer.from([9, 2]))],
  'a signal cut short': [cat, frame(FrameType.SIGNAL, 1, Buffer.from([9]))],
  'RESIZE of 3 bytes': [cat, frame(FrameType.RESIZE, 1, Buffer.alloc(3))],
  'WINDOW for stdin': [cat, frame(FrameType.WINDOW, 1, encodeWindow(0, 1))],
  'WINDOW beyond what came': [cat, frame(FrameType.WINDOW, 1, encodeWindow(1, 1))],
  'WINDOW of 4 bytes': [cat, frame(FrameType.WINDOW, 1, Buffer.alloc(4))],
  'PING of 7 bytes': [frame(FrameType.PING, 0, Buffer.alloc(7))],
  'ATTACH of 3 bytes': [frame(MonitorFrame.ATTACH, 1, Buffer.alloc(3))],
  'EXEC without ARG': [exec(stringField(Tag.CWD, '/'))],
  'EXEC with a field cut short': [
    {...cat, payload: encodeFields([stringField(Tag.ARG, 'x')]).subarray(0, -1)},
  ],
  'EXEC with a field of 4 GiB': [frame(FrameType.EXEC, 1, Buffer.from('10ffffffff', 'hex'))],
  'EXEC with NUL': [exec(stringField(Tag.ARG, 'x\0y'))],
  'EXEC with ENV without =': [exec(stringField(Tag.ARG, 'x'), stringField(Tag.ENV, 'NAME'))],
  'EXEC in a relative folder': [exec(stringField(Tag.ARG, 'x'), stringField(Tag.CWD, 'tmp'))],
  'EXEC with two folders': [
    exec(stringField(Tag.ARG, 'x'), stringField(Tag.CWD, '/'), stringField(Tag.CWD, '/')),
  ],
  'EXEC with two users': [
    exec(stringField(Tag.ARG, 'x'), stringField(Tag.USER, 'a'), stringField(Tag.USER, 'b')),
  ],
  'EXEC with TERMINAL of 3 bytes': [
    exec(stringField(Tag.ARG, 'x'), bytesField(Tag.TERMINAL, Buffer.alloc(3))),
  ],
  'GET without PATH': [frame(FrameType.GET, 1, encodeFields([u32Field(Tag.MAX_ENTRIES, 1)]))],
  'GET of a relative path': [frame(FrameType.GET, 1, encodeFields([stringField(Tag.PATH, 'tmp')]))],
  'GET of an empty path': [frame(FrameType.GET, 1, encodeFields([stringField(Tag.PATH, '')]))],
  'GET of two paths': [frame(FrameType.GET, 1, encodeFields([path, path]))],
  'GET with MAX_BYTES of 4 bytes': [
    frame(FrameType.GET, 1, encodeFields([path, u32Field(Tag.MAX_BYTES, 1)])),
  ],
  'PUT with MAX_ENTRIES of 8': [frame(FrameType.PUT, 1, encodeFields([path, u64Field(Tag.MAX_ENTRIES, 1n)]))],
  'STDIN in a GET': [
    frame(FrameType.GET, 1, encodeFields([path])),
    frame(FrameType.STDIN, 1, Buffer.from('x')),
  ],
};

describe.skipIf(noAgentReason !== undefined)('a client that breaks the protocol', () => {
  let agent: RealAgent;
  let served: Served;
  let other: RunningGuest;
  let raw: RawClient;
  beforeAll(async () => {
    agent = await startAgent();
    served = await serve(agent);
  });
  afterAll(async () => {
    served.stop();
    await agent.stop();
  });
  beforeEach(async () => {
    [other, raw] = await Promise.all([served.connect(), served.connectRaw()]);
  });

  /** Whatever happened: another client is served, and nothing of the bad one is left. */
  afterEach(async () => {
    const session = other.guest.exec(shellRequest('cat; exit 5'));
    session.stdin.end('still here');
    session.stderr.resume();
    expect(await text(session.stdout)).toBe('still here');
    expect((await session.exit).code).toBe(5);
    raw.socket.destroy();
    await until('its sessions are gone', () => served.relay.held === 0, 10_000);
    other.close();
  });

  it.each(Object.entries(violations))('with %s is told so and let go', async (_what, frames) => {
    raw.send(...frames);
    const {payload} = await raw.first(MonitorFrame.FAILURE);
    expect(String(payload)).toContain('A client of the monitor broke the protocol');
    await raw.closed;
  });

  it('with a frame of no length, or too long', async () => {
    raw.socket.write(Buffer.from('04000000', 'hex'));
    await raw.first(MonitorFrame.FAILURE);
    const second = await served.connectRaw();
    second.socket.write(Buffer.from('01001000', 'hex'));
    await second.first(MonitorFrame.FAILURE);
  });

  it('with the largest frame, cut short', async () => {
    const whole = encodeFrame({...cat, payload: Buffer.alloc(MAX_PAYLOAD)});
    raw.socket.end(whole.subarray(0, 700_000));
    await raw.closed;
  });

  it('with random bytes, many times over', {timeout: 60_000}, async () => {
    const random = createRandom(7);
    for (let round = 0; round < 100; round += 1) {
      const client = await served.connectRaw();
      client.socket.write(random.bytes(1 + random.number(500)));
      client.socket.end();
      await client.closed;
    }
  });

  it('with thousands of connections that come and go', {timeout: 60_000}, async () => {
    const burst = async (): Promise<void> => {
      const clients = await Promise.all(
        Array.from({length: 100}, () => served.connectRaw().catch(() => undefined)),
      );
      for (const client of clients) client?.socket.destroy();
    };
    for (let round = 0; round < 30; round += 1) await burst();
    await until('all are gone', async () =>
      (await served.connect()).guest.ping(2_000).then(
        () => true,
        () => false,
      ),
    );
  });

  it('with questions without end, whose answers it never reads', async () => {
    raw.socket.pause();
    const questions = Buffer.concat(
      Array.from({length: 20_000}, () => encodeFrame(frame(MonitorFrame.STATUS, 0))),
    );
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 20; round += 1) raw.socket.write(questions);
    for (let round = 0; round < 10; round += 1) await other.guest.ping(2_000);
    // Its own end, the answers, and what the test itself has queued.
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 ** 2);
  });

  it('with more than 8 questions to the guest at once', async () => {
    const pings = Array.from({length: 200}, () => frame(FrameType.PING, 0, Buffer.alloc(8)));
    raw.send(...pings);
    expect(String((await raw.first(MonitorFrame.FAILURE)).payload)).toContain('more than 8 PINGs');
  });

  it('with sessions that it never looks after, then gone', async () => {
    const sessions = Array.from({length: 100}, (_, index) => ({...cat, session: index + 1}));
    raw.send(...sessions, frame(FrameType.SIGNAL, 3, encodeSignal(9, 'command')));
    await raw.first(FrameType.EXIT);
    expect(served.relay.held).toBeGreaterThan(50);
  });
});
