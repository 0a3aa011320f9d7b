import {Duplex, Readable} from 'node:stream';
import {expect, it} from 'vitest';
import {connectGuest} from '../../src/guest/connect.js';
import {encodeFields, stringField, u32Field, u64Field} from '../../src/guest/field-encoder.js';
import {encodeFrame} from '../../src/guest/frame-encoder.js';
import type {Guest} from '../../src/guest/guest.js';
import {FrameType, Tag} from '../../src/guest/protocol.js';
import {command} from './fake-guest.js';
import {createRandom, type Random} from './random.js';

const ROUNDS = 2000;
const SEED = 20_240_601;

const frame = (type: number, session: number, payload: Buffer): Buffer =>
  encodeFrame({type, session, payload});

const hello = frame(
  FrameType.HELLO,
  0,
  encodeFields([
    u32Field(Tag.VERSION, 1),
    stringField(Tag.KERNEL, '6.8.0'),
    {tag: Tag.PHASE, value: Buffer.concat([u64Field(0, 5n).value, Buffer.from('boot')])},
  ]),
);

/** What an honest guest might say to a command, a PUT and a GET. */
const talk: readonly Buffer[] = [
  frame(FrameType.STDOUT, 1, Buffer.alloc(3000, 'o')),
  frame(FrameType.STDERR, 1, Buffer.from('oops')),
  frame(FrameType.WINDOW, 1, Buffer.from('0000000000', 'hex')),
  frame(FrameType.STDOUT, 3, Buffer.alloc(512)),
  frame(FrameType.EXIT, 2, encodeFields([u32Field(Tag.CODE, 0)])),
  frame(
    FrameType.EXIT,
    1,
    encodeFields([u32Field(Tag.SIGNAL, 9), u64Field(Tag.CPU, 5n), stringField(Tag.REASON, 'killed')]),
  ),
  frame(FrameType.EXIT, 3, encodeFields([u32Field(Tag.CODE, 1), u32Field(Tag.ERRNO, 28)])),
];

const mutations: readonly ((bytes: Buffer, random: Random) => Buffer)[] = [
  (bytes, random) => {
    const flipped = Buffer.from(bytes);
    for (let flips = 1 + random.number(8); flips > 0; flips -= 1) {
      flipped[random.number(flipped.length)] = random.number(256);
    }
    return flipped;
  },
  (bytes, random) => bytes.subarray(0, random.number(bytes.length)),
  (bytes, random) => {
    const at = random.number(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), random.bytes(random.number(200)), bytes.subarray(at)]);
  },
  (bytes, random) => {
    const at = random.number(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.number(20))]);
  },
  (_bytes, random) => Buffer.concat([hello, ...Array.from({length: 8}, () => random.pick(talk))]),
  (_bytes, random) => {
    const wild = (): Buffer => {
      const payload = random.bytes(random.number(40));
      return frame(random.number(20), random.pick([0, 1, 2, 3, 4, 0xffff_ffff]), payload);
    };
    return Buffer.concat([hello, ...Array.from({length: 6}, wild)]);
  },
  (_bytes, random) => random.bytes(random.number(400)),
];

/** A channel that brings these bytes, in pieces, and takes whatever is sent. After HELLO the host has time to act. */
const channelOf = (bytes: Buffer, random: Random): Duplex => {
  let at = 0;
  return new Duplex({
    read() {
      const most = at < hello.length ? hello.length - at : 5000;
      const size = Math.min(most, 1 + random.number(random.pick([60, 1000, 5000])));
      const piece = at < bytes.length ? bytes.subarray(at, at + size) : null;
      at += size;
      setImmediate(() => this.push(piece));
    },
    write: (_chunk, _encoding, done) => done(),
  });
};

const codeOf = (thrown: unknown): unknown =>
  thrown instanceof Error && 'code' in thrown ? thrown.code : thrown;

/** Opens a session of each kind, and returns how all of it ended. */
const useGuest = async (guest: Guest): Promise<unknown[]> => {
  const limits = {maxBytes: 1e6, maxEntries: 10};
  const outcomes: Promise<unknown>[] = [];
  try {
    const {stdout, stderr, stdin, exit} = guest.exec(command);
    outcomes.push(exit, stdout.toArray(), stderr.resume().toArray());
    stdin.end('input');
    outcomes.push(guest.put('/in', Readable.from([Buffer.alloc(1000)]), {...limits, user: ''}));
    outcomes.push(guest.get('/out', limits).toArray());
  } catch (error) {
    outcomes.push(Promise.reject(error));
  }
  const settled = await Promise.allSettled(outcomes);
  return settled.map((outcome) => (outcome.status === 'rejected' ? codeOf(outcome.reason) : 'fine'));
};

const play = async (bytes: Buffer, random: Random): Promise<unknown[]> => {
  try {
    const guest = await connectGuest({
      channel: channelOf(bytes, random),
      timeoutMs: 5000,
      signal: new AbortController().signal,
      lastLines: () => [],
    });
    return [...(await useGuest(guest)), codeOf(await guest.closed)];
  } catch (error) {
    return [codeOf(error)];
  }
};

it(`ends in a known way for ${ROUNDS} damaged streams, with no more memory than for one`, {
  timeout: 120_000,
}, async () => {
  const seen = new Map<unknown, number>();
  const honest = Buffer.concat([hello, ...talk]);
  let before = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const random = createRandom(SEED + round);
    const bytes = random.pick(mutations)(honest, random);
    for (const outcome of await play(bytes, random)) {
      expect(
        ['fine', 'BOOT_FAILED', 'GUEST_PROTOCOL', 'GUEST_FAILED'],
        `seed ${SEED + round}: ${String(outcome)}`,
      ).toContain(outcome);
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
    }
    if (round === 200) before = process.memoryUsage().rss;
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
  // A seed that leads nowhere would test nothing.
  expect([...seen.keys()].sort()).toEqual(['BOOT_FAILED', 'GUEST_FAILED', 'GUEST_PROTOCOL', 'fine']);
});
