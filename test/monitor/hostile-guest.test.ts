import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterEach, describe, expect, it} from 'vitest';
import {encodeFields, stringField, u32Field} from '../../src/guest/field-encoder.js';
import type {Frame} from '../../src/guest/frame-encoder.js';
import {FrameType, INITIAL_CREDIT, Tag} from '../../src/guest/protocol.js';
import {encodeWindow} from '../../src/guest/requests.js';
import {unpackTo} from '../../src/guest/tar-unpack.js';
import {encodeEntry, endOfArchive} from '../../src/guest/tar-writer.js';
import {toAgentError} from '../../src/model/errors.js';
import {ExitCode, exitCodeOf} from '../../src/model/exit-code.js';
import {command, exited} from '../guest/fake-guest.js';
import {useTempFolder} from '../guest/temp-folder.js';
import {until} from '../support/until.js';
import {serveFake} from './serving.js';

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** The end of the channel ends the relay, as in the monitor. */
const start = async (...options: Parameters<typeof serveFake>): ReturnType<typeof serveFake> => {
  const served = await serveFake(...options);
  cleanUps.push(served.stop);
  void served.connected.guest.closed.then((error) => served.relay.end(toAgentError(error)));
  return served;
};

const frame = (type: number, session: number, payload: Buffer = Buffer.alloc(0)): Frame => ({
  type,
  session,
  payload,
});
const exit = encodeFields([u32Field(Tag.CODE, 0)]);

/** Sessions 1 to 3 are commands of three clients, 4 is a PUT. */
const violations: Readonly<Record<string, readonly [string, readonly Frame[]]>> = {
  'HELLO again': ['HELLO twice', [frame(FrameType.HELLO, 0, exit)]],
  'EXIT twice': [
    'session 1, which is not open',
    [frame(FrameType.EXIT, 1, exit), frame(FrameType.EXIT, 1, exit)],
  ],
  'EXIT without a verdict': ['CODE or SIGNAL', [frame(FrameType.EXIT, 1)]],
  'EXIT with code 256': ['code 256', [frame(FrameType.EXIT, 1, encodeFields([u32Field(Tag.CODE, 256)]))]],
  'EXIT with a field cut short': ['longer than its frame', [frame(FrameType.EXIT, 1, exit.subarray(0, -1))]],
  'output of a session that nobody opened': ['session 9, which is not open', [frame(FrameType.STDOUT, 9)]],
  'output after EXIT': ['session 2, which', [frame(FrameType.EXIT, 2, exit), frame(FrameType.STDOUT, 2)]],
  'output of a PUT': ['no such output', [frame(FrameType.STDOUT, 4, Buffer.alloc(1))]],
  'output beyond the credit': [
    'with a credit of 144',
    [
      frame(FrameType.STDOUT, 1, Buffer.alloc(INITIAL_CREDIT - 144)),
      frame(FrameType.STDOUT, 1, Buffer.alloc(145)),
    ],
  ],
  'credit for bytes that it never got': [
    'that it never got',
    [frame(FrameType.WINDOW, 1, encodeWindow(0, 1))],
  ],
  'credit for another stream': ['names stream 1', [frame(FrameType.WINDOW, 1, encodeWindow(1, 1))]],
  'PONG unasked': ['PONG unasked', [frame(FrameType.PONG, 0, Buffer.alloc(8))]],
  'a frame of a client’s': ['type 2 in session 1', [frame(FrameType.EXEC, 1)]],
  'a frame of the monitor’s': ['type 64 in session 0', [frame(64, 0, Buffer.from('{"code":"USAGE"}'))]],
  ERROR: ['gave up: I quit', [frame(FrameType.ERROR, 0, Buffer.from('I quit'))]],
};

describe('a guest that sends', () => {
  it.each(Object.entries(violations))(
    '%s ends the VM, and each client knows why',
    async (_what, [cause, frames]) => {
      const {connect, fake, relay} = await start();
      const clients = await Promise.all([connect(), connect(), connect()]);
      const sessions = [];
      for (const client of clients) {
        sessions.push(client.guest.exec(command));
        await fake.next(FrameType.EXEC);
      }
      const source = (async function* () {
        yield Buffer.alloc(0);
        await sleep(60_000, undefined, {ref: false});
      })();
      const put = clients[0]?.guest.put('/x', Readable.from(source), {maxBytes: 1, maxEntries: 1, user: ''});
      await fake.next(FrameType.PUT);
      fake.send(...frames);
      const outcomes = await Promise.allSettled([...sessions.map((session) => session.exit), put]);
      const errors = outcomes.flatMap((outcome) =>
        outcome.status === 'rejected' ? [toAgentError(outcome.reason)] : [],
      );
      // Where the guest ended a command before its lie, that one is done.
      expect(errors.length).toBeGreaterThanOrEqual(3);
      for (const error of errors) {
        expect(error.message).toContain(cause);
        expect(exitCodeOf(error.code, ExitCode.agentFailed)).toBe(125);
      }
      for (const {guest} of clients) expect((await guest.closed)?.message).toContain(cause);
      expect(relay.held).toBe(0);
    },
  );

  it('a length beyond all bounds, or none', async () => {
    for (const length of [0, 4, 1_048_577, 0xffff_ffff]) {
      const {connect, fake} = await start();
      const {guest} = await connect();
      const head = Buffer.alloc(9);
      head.writeUInt32LE(length);
      fake.socket.write(head);
      expect((await guest.closed)?.message).toContain(`a frame's length is ${length}`);
    }
  });

  it('half a frame, and ends', async () => {
    const {connect, fake} = await start();
    const {guest} = await connect();
    const {exit: ended} = guest.exec(command);
    await fake.next(FrameType.EXEC);
    fake.socket.write(Buffer.from('00100000050100', 'hex'));
    fake.end();
    await expect(ended).rejects.toMatchObject({
      code: 'GUEST_FAILED',
      details: ['last console lines:', 'the console said this'],
    });
  });
});

const MIB = 1024 ** 2;

describe('a guest that floods', () => {
  it('with frames of one byte costs no more than the credit, where a client does not read', {
    timeout: 60_000,
  }, async () => {
    const {connectRaw, fake} = await start();
    const raw = await connectRaw();
    const clients = 8;
    const payload = encodeFields([stringField(Tag.ARG, 'x')]);
    raw.send(...Array.from({length: clients}, (_, index) => frame(FrameType.EXEC, index + 1, payload)));
    for (let count = 0; count < clients; count += 1) await fake.next(FrameType.EXEC);
    raw.socket.pause();
    global.gc?.();
    const before = process.memoryUsage().rss;
    for (let session = 1; session <= clients; session += 1) {
      const one = Buffer.from('06000000050000000078', 'hex');
      one.writeUInt32LE(session, 5);
      for (let sent = 0; sent < INITIAL_CREDIT; sent += 8_192) {
        fake.socket.write(Buffer.alloc(8_192 * one.length, one));
        await sleep(0);
      }
    }
    // All of it is 4 MiB here; as frames of its own each byte would take 200.
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * MIB);
    raw.socket.resume();
    await until('all has come', () => {
      const output = raw.came.filter(({type}) => type === FrameType.STDOUT);
      return output.reduce((sum, each) => sum + each.payload.length, 0) === clients * INITIAL_CREDIT;
    });
    // Gathered on the way: hundreds of frames, not millions.
    expect(raw.came.length).toBeLessThan(20_000);
  });

  it('with empty frames sends its clients nothing', async () => {
    const {connectRaw, fake} = await start();
    const raw = await connectRaw();
    raw.send(frame(FrameType.EXEC, 1, encodeFields([stringField(Tag.ARG, 'x')])));
    await fake.next(FrameType.EXEC);
    const empty = [
      frame(FrameType.STDOUT, 1),
      frame(FrameType.STDERR, 1),
      frame(FrameType.WINDOW, 1, encodeWindow(0, 0)),
    ];
    for (let round = 0; round < 1_000; round += 1) fake.send(...empty);
    fake.exit(1, exited(0));
    await raw.first(FrameType.EXIT);
    expect(raw.came.map(({type}) => type)).toEqual([FrameType.HELLO, 65, FrameType.EXIT]);
  });

  it('its own channel, which it never reads, lets its clients wait and fills no memory', async () => {
    const {connect, fake} = await start();
    const client = await connect();
    fake.socket.pause();
    const before = process.memoryUsage().rss;
    const sessions = Array.from({length: 20}, () => client.guest.exec(command));
    for (const {stdin} of sessions) stdin.write(Buffer.alloc(8 * MIB));
    await sleep(500);
    // What the test itself writes is 160 MiB of zeros, and none of it was copied but for the credit.
    expect(process.memoryUsage().rss - before).toBeLessThan((160 + 40) * MIB);
    await expect(client.guest.ping(200)).rejects.toMatchObject({code: 'DEADLINE'});
    client.close();
  });
});

describe('a guest whose archives lie', () => {
  const makeFolder = useTempFolder();
  const names = ['../outside', '/etc/passwd', 'a/../../outside', 'a\0b', '..'];
  it.each(names)(
    'about the name %j fails that one copy, writes nothing, and nobody else is harmed',
    async (name) => {
      const {connect, fake} = await start();
      const [victim, other] = await Promise.all([connect(), connect()]);
      const folder = await makeFolder();
      const copied = unpackTo(
        join(folder, 'target'),
        victim.guest.get('/out', {maxBytes: 1e6, maxEntries: 10}),
        {
          maxBytes: 1e6,
          maxEntries: 10,
        },
      ).catch(toAgentError);
      await fake.next(FrameType.GET);
      const entry = encodeEntry({name: Buffer.from(name), type: 'file', mode: 0o644, mtimeMs: 0, size: 0});
      fake.send(frame(FrameType.STDOUT, 1, Buffer.concat([entry, endOfArchive])));
      fake.exit(1, exited(0));
      const result = await copied;
      // A name ends at its NUL: what is before it is a name like any other.
      if (name.includes('\0')) expect(result).toMatchObject({files: 1});
      else {
        expect(result).toMatchObject({code: 'GUEST_PROTOCOL'});
        expect(readdirSync(folder)).toEqual([]);
      }
      const {exit: ended} = other.guest.exec(command);
      await fake.next(FrameType.EXEC);
      fake.exit(2, exited(3));
      expect((await ended).code).toBe(3);
    },
  );
});
