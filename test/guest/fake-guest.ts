import {type Duplex, duplexPair} from 'node:stream';
import {connectGuest} from '../../src/guest/connect.js';
import {encodeFields, type Field, stringField, u32Field, u64Field} from '../../src/guest/field-encoder.js';
import {FrameDecoder} from '../../src/guest/frame-decoder.js';
import {encodeFrame, type Frame} from '../../src/guest/frame-encoder.js';
import type {Guest} from '../../src/guest/guest.js';
import {FrameType, Tag} from '../../src/guest/protocol.js';

export interface ReceivedFrame {
  readonly type: number;
  readonly session: number;
  readonly payload: Buffer;
}

/** The guest's end of a channel, played by a test: for faults and malice that the real agent does not have. */
export interface FakeGuest {
  /** The host's end. */
  readonly channel: Duplex;
  /** The guest's end. */
  readonly socket: Duplex;
  readonly send: (...frames: Frame[]) => void;
  readonly hello: (...more: Field[]) => void;
  readonly exit: (session: number, ...fields: Field[]) => void;
  /** The next frame from the host that is not a WINDOW, in order. */
  readonly next: (type: number) => Promise<ReceivedFrame>;
  /** Credit given back so far, by session and stream: `1/1`. */
  readonly credit: Map<string, number>;
  /** How many frames that took. */
  readonly windows: () => number;
  readonly end: () => void;
}

export const createFakeGuest = (): FakeGuest => {
  const [channel, socket] = duplexPair();
  const frames: ReceivedFrame[] = [];
  const credit = new Map<string, number>();
  let windows = 0;
  let wake = (): void => {};
  const decoder = new FrameDecoder({
    accept: () => {},
    receive: ({type, session}, payload) => {
      if (type === FrameType.WINDOW) {
        windows += 1;
        const key = `${session}/${payload.readUInt8(0)}`;
        credit.set(key, (credit.get(key) ?? 0) + payload.readUInt32LE(1));
      } else frames.push({type, session, payload: Buffer.from(payload)});
      wake();
    },
  });
  socket.on('data', (chunk: Buffer) => decoder.push(chunk));
  socket.on('error', () => {});
  const send = (...all: Frame[]): void => {
    socket.write(Buffer.concat(all.map(encodeFrame)));
  };
  return {
    channel,
    socket,
    send,
    hello: (...more) => send({type: FrameType.HELLO, session: 0, payload: encodeFields(helloFields(more))}),
    exit: (session, ...fields) => send({type: FrameType.EXIT, session, payload: encodeFields(fields)}),
    next: async (type) => {
      while (frames.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const frame = frames.shift();
      if (frame?.type !== type) throw new Error(`expected a frame of type ${type}, not ${frame?.type}`);
      return frame;
    },
    credit,
    windows: () => windows,
    end: () => socket.end(),
  };
};

export const exited = (code: number): Field => u32Field(Tag.CODE, code);

const helloFields = (more: readonly Field[]): Field[] => {
  const defaults = [
    u32Field(Tag.VERSION, 1),
    stringField(Tag.KERNEL, '6.8.0-test'),
    stringField(Tag.MACHINE, 'x86_64'),
    u64Field(Tag.MEMORY, 268_435_456n),
  ];
  return [...defaults.filter(({tag}) => !more.some((field) => field.tag === tag)), ...more];
};

export interface Connected {
  readonly fake: FakeGuest;
  readonly guest: Guest;
}

/** A host that has said and heard hello. */
export const connectFake = async (options: {readonly stallMs?: number} = {}): Promise<Connected> => {
  const fake = createFakeGuest();
  fake.hello();
  const guest = await connectGuest({
    channel: fake.channel,
    timeoutMs: 5000,
    signal: new AbortController().signal,
    lastLines: () => ['the console said this'],
    ...options,
  });
  return {fake, guest};
};

export const command = {argv: ['/bin/true'], env: [], cwd: '/', user: ''} as const;
