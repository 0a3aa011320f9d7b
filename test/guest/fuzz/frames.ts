/** Frames as an honest end would send them, and what can be done to them. */
import {encodeFields, type Field, stringField, u32Field, u64Field} from '../../../src/guest/field-encoder.js';
import {encodeFrame} from '../../../src/guest/frame-encoder.js';
import {FrameType, INITIAL_CREDIT, MAX_PAYLOAD, Tag} from '../../../src/guest/protocol.js';
import {encodeWindow} from '../../../src/guest/requests.js';
import {MonitorFrame} from '../../../src/monitor/protocol.js';
import type {Random} from '../random.js';

const frame = (type: number, session: number, payload: Buffer = Buffer.alloc(0)): Buffer =>
  encodeFrame({type, session, payload});

export const hello = frame(
  FrameType.HELLO,
  0,
  encodeFields([
    u32Field(Tag.VERSION, 1),
    stringField(Tag.KERNEL, '6.8.0'),
    stringField(Tag.MACHINE, 'x86_64'),
    u64Field(Tag.MEMORY, 1n << 28n),
    {tag: Tag.PHASE, value: Buffer.concat([u64Field(0, 5n).value, Buffer.from('boot')])},
  ]),
);

const someBytes = Buffer.alloc(MAX_PAYLOAD, 'all kinds of bytes \0\x01\xfe\xff ');

/** Mostly few, now and then as many as there may be, or one more. */
const output = (random: Random): Buffer => {
  const size = random.pick([0, 1, 10, 10, 100, 100, 1_000]);
  const isHuge = random.number(2_000) === 0;
  return someBytes.subarray(0, isHuge ? INITIAL_CREDIT + random.number(2) : random.number(size + 1));
};

const ending = (random: Random): Buffer => {
  const fields: Field[] = [
    random.number(2) === 0 ? u32Field(Tag.CODE, random.number(260)) : u32Field(Tag.SIGNAL, random.number(66)),
    u64Field(Tag.CPU, BigInt(random.number(1e6))),
    u32Field(Tag.ERRNO, random.number(140)),
    stringField(Tag.REASON, 'execve: /bin/nope'),
    u64Field(Tag.ELAPSED, 17n),
    u32Field(Tag.LIMITS, random.number(4)),
    u32Field(Tag.OUT, random.number(2)),
  ];
  return encodeFields(fields.filter((_field, index) => index === 0 || random.number(2) === 0));
};

const answers = [FrameType.PONG, FrameType.SYNC, FrameType.SHUTDOWN, FrameType.SUSPEND];

/** What a guest may say in one of these commands that run, or, rarely, what it may not. */
export const guestFrame = (random: Random, commands: readonly number[]): Buffer => {
  const session = random.pick(commands);
  switch (random.number(200)) {
    case 0:
    case 1:
    case 2:
      return frame(FrameType.EXIT, session, ending(random));
    case 3:
      return frame(FrameType.WINDOW, session, encodeWindow(0, random.number(3)));
    case 4:
      return frame(random.pick(answers), 0, Buffer.alloc(random.pick([0, 8])));
    case 5:
      return frame(FrameType.ERROR, 0, output(random).subarray(0, 500));
    case 6:
      return frame(FrameType.STDOUT, random.number(14), output(random));
    case 7:
      return frame(FrameType.WINDOW, session, encodeWindow(0, 0));
    default:
      return frame(random.pick([FrameType.STDOUT, FrameType.STDERR]), session, output(random));
  }
};

/** The session that this frame of a guest's ends. */
export const endedBy = (bytes: Buffer): number | undefined =>
  bytes[4] === FrameType.EXIT ? bytes.readUInt32LE(5) : undefined;

const path = stringField(Tag.PATH, '/tmp');
const requests: readonly {readonly type: number; readonly payload: Buffer}[] = [
  {
    type: FrameType.EXEC,
    payload: encodeFields([
      stringField(Tag.ARG, '/bin/cat'),
      stringField(Tag.ENV, 'A=b'),
      stringField(Tag.CWD, '/'),
    ]),
  },
  {
    type: FrameType.EXEC,
    payload: encodeFields([stringField(Tag.ARG, 'x'), {tag: Tag.TERMINAL, value: Buffer.alloc(4)}]),
  },
  {
    type: FrameType.PUT,
    payload: encodeFields([path, u64Field(Tag.MAX_BYTES, 5n), stringField(Tag.USER, 'root')]),
  },
  {type: FrameType.GET, payload: encodeFields([path, u32Field(Tag.MAX_ENTRIES, 5), u32Field(Tag.FILE, 1)])},
];

/** What a client of the monitor may say; `next` is the number of its next session. */
export const clientFrame = (random: Random, next: number): Buffer => {
  const session = 1 + random.number(next);
  switch (random.number(16)) {
    case 0:
    case 1: {
      const {type, payload} = random.pick(requests);
      return frame(type, next, payload);
    }
    case 2:
      return frame(MonitorFrame.DETACH, session);
    case 3:
      return frame(MonitorFrame.ATTACH, next, u32Field(0, 1 + random.number(40)).value);
    case 4:
      return frame(FrameType.STDIN_EOF, session);
    case 5:
      return frame(FrameType.SIGNAL, session, Buffer.from([random.number(66), random.number(2)]));
    case 6:
      return frame(FrameType.RESIZE, session, Buffer.alloc(4));
    case 7:
      return frame(FrameType.WINDOW, session, encodeWindow(random.pick([1, 2]), random.number(200)));
    case 8:
      return frame(FrameType.PING, 0, Buffer.alloc(8));
    case 9:
      return frame(MonitorFrame.STATUS, 0);
    default:
      return frame(FrameType.STDIN, session, output(random));
  }
};

const farLengths = [0, 4, 5, 1_048_576, 1_048_577, 0xffff_ffff];
const nearLengths = [5, 6, 10, 13, 14, 18, 100, 1_000];

/** Heads of the guest's and the client's frames begin alike: 4 bytes of length, type, session. */
const HEAD_BYTES = 9;

/** The same with something wrong, or not: a changed byte of output is as good as another. */
export const damage = (bytes: Buffer, random: Random): Buffer => {
  const changed = Buffer.from(bytes);
  const at = random.number(changed.length);
  switch (random.number(9)) {
    case 0:
      changed[at] = random.number(256);
      return changed;
    case 1:
      changed[random.number(HEAD_BYTES)] = random.number(256);
      return changed;
    case 2:
      changed[Math.min(HEAD_BYTES + random.number(12), changed.length - 1)] = random.number(256);
      return changed;
    case 3:
      changed.writeUInt32LE(random.pick(random.number(20) === 0 ? farLengths : nearLengths), 0);
      return changed;
    case 4:
      changed.writeUInt32LE(random.pick([0, 1, 2, 3, 7, 0x7fff_ffff, 0xffff_ffff]), 5);
      return changed;
    case 5:
      return changed.subarray(0, at);
    case 6:
      return Buffer.concat([
        changed.subarray(0, at),
        random.bytes(1 + random.number(12)),
        changed.subarray(at),
      ]);
    case 7:
      return wild(random);
    default:
      return withLength(changed, random);
  }
};

/** A frame of any type, for any session, with any payload, of the right length. */
const wild = (random: Random): Buffer =>
  frame(
    random.number(random.pick([20, 70, 256])),
    random.pick([0, 1, 2, 3, 4, 50, 0xffff_ffff]),
    random.bytes(random.number(40)),
  );

/** Its payload longer or shorter, and its length as it should be. */
const withLength = (bytes: Buffer, random: Random): Buffer => {
  const payload = bytes.subarray(HEAD_BYTES);
  const cut = random.number(payload.length + 1);
  const changed =
    random.number(2) === 0 ? payload.subarray(0, cut) : Buffer.concat([payload, random.bytes(5)]);
  return encodeFrame({type: bytes[4] ?? 0, session: bytes.readUInt32LE(5), payload: changed});
};
