import {describe, expect, it} from 'vitest';
import {FrameDecoder, type FrameHead} from '../../src/guest/frame-decoder.js';
import {encodeFrame} from '../../src/guest/frame-encoder.js';
import {MAX_PAYLOAD} from '../../src/guest/protocol.js';
import {createRandom} from './random.js';

interface Seen {
  readonly head: FrameHead;
  readonly payload: string;
}

const collect = (): {decoder: FrameDecoder; seen: Seen[]} => {
  const seen: Seen[] = [];
  const decoder = new FrameDecoder({
    accept: () => {},
    receive: (head, payload) => seen.push({head, payload: payload.toString('latin1')}),
  });
  return {decoder, seen};
};

const random = createRandom(1);
const frames = [0, 1, 5, 511, 70_000, 3].map((size, index) => ({
  type: index + 1,
  session: index * 1_000_003,
  payload: random.bytes(size),
}));
const stream = Buffer.concat(frames.map(encodeFrame));
// As text: comparing large buffers element by element takes the runner long.
const expected = frames.map(({type, session, payload}) => ({
  head: {type, session, size: payload.length},
  payload: payload.toString('latin1'),
}));

describe('FrameDecoder', () => {
  it.each([1, 2, 8, 9, 10, 4096, stream.length])('reads the same from chunks of %i bytes', (size) => {
    const {decoder, seen} = collect();
    for (let at = 0; at < stream.length; at += size) decoder.push(stream.subarray(at, at + size));
    expect(seen).toEqual(expected);
  });

  it('reads the same from chunks of any size', () => {
    for (let round = 0; round < 50; round += 1) {
      const {decoder, seen} = collect();
      for (let at = 0; at < stream.length; ) {
        const size = random.number(random.pick([3, 20, 50_000]));
        decoder.push(stream.subarray(at, at + size));
        at += size;
      }
      expect(seen).toEqual(expected);
    }
  });

  it('hands on a payload within a chunk without copying it', () => {
    const views: Buffer[] = [];
    const decoder = new FrameDecoder({accept: () => {}, receive: (_head, payload) => views.push(payload)});
    const chunk = encodeFrame({type: 5, session: 1, payload: Buffer.from('abc')});
    decoder.push(chunk);
    expect(views[0]?.buffer).toBe(chunk.buffer);
  });

  it('takes the longest frame and refuses a longer one before its payload comes', () => {
    const {decoder, seen} = collect();
    decoder.push(encodeFrame({type: 1, session: 1, payload: Buffer.alloc(MAX_PAYLOAD)}));
    expect(seen).toHaveLength(1);
    expect(() => decoder.push(Buffer.from([0x01, 0x00, 0x10, 0x00]))).toThrow("a frame's length is 1048577");
    expect(() => encodeFrame({type: 1, session: 1, payload: Buffer.alloc(MAX_PAYLOAD + 1)})).toThrow(
      RangeError,
    );
  });

  it('asks before it keeps a payload', () => {
    const decoder = new FrameDecoder({
      accept: ({size}) => {
        if (size > 100) throw new Error('refused');
      },
      receive: () => {},
    });
    const chunk = encodeFrame({type: 1, session: 1, payload: Buffer.alloc(101)});
    expect(() => decoder.push(chunk.subarray(0, 9))).toThrow('refused');
  });
});
