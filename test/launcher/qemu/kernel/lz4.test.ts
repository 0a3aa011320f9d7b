import {describe, expect, it} from 'vitest';
import {unpackLz4Legacy} from '../../../../src/launcher/qemu/kernel/lz4.js';

const MAGIC = [0x02, 0x21, 0x4c, 0x18];
const stream = (...blocks: number[][]): Buffer =>
  Buffer.from([
    ...MAGIC,
    ...blocks.flatMap((block) => [block.length & 255, block.length >> 8, 0, 0, ...block]),
  ]);
const ascii = (text: string): number[] => [...Buffer.from(text)];

describe('unpackLz4Legacy', () => {
  it('unpacks literals', () => {
    expect(unpackLz4Legacy(stream([0x50, ...ascii('hello')]), 5).toString()).toBe('hello');
  });

  it('repeats a match that overlaps what it writes', () => {
    // 'ab', then 6 bytes from 2 back, then the literals 'c'
    const block = [0x22, ...ascii('ab'), 2, 0, 0x10, ...ascii('c')];
    expect(unpackLz4Legacy(stream(block), 9).toString()).toBe('ababababc');
  });

  it('copies a match that does not overlap', () => {
    const block = [0x40, ...ascii('abcd'), 4, 0, 0x10, ...ascii('!')];
    expect(unpackLz4Legacy(stream(block), 9).toString()).toBe('abcdabcd!');
  });

  it('reads lengths that go on over several bytes', () => {
    const literals = 'x'.repeat(15 + 255 + 3);
    expect(unpackLz4Legacy(stream([0xf0, 255, 3, ...ascii(literals)]), 273).toString()).toBe(literals);
    const long = [0x1f, ...ascii('y'), 1, 0, 255, 0, 0x10, ...ascii('z')];
    expect(unpackLz4Legacy(stream(long), 1 + 15 + 255 + 4 + 1).toString()).toBe(`${'y'.repeat(275)}z`);
  });

  it('goes on over several blocks and streams', () => {
    const two = Buffer.concat([stream([0x10, 65]), stream([0x10, 66], [0x10, 67])]);
    expect(unpackLz4Legacy(two, 3).toString()).toBe('ABC');
  });

  it.each([
    ['another format', Buffer.from('not lz4 at all'), 4, /not an LZ4/],
    ['nothing', Buffer.alloc(0), 0, /not an LZ4/],
    ['a block that is cut off', stream([0x50, ...ascii('hello')]).subarray(0, -2), 5, /block is cut off/],
    ['literals that are cut off', stream([0x50, ...ascii('hel')]), 5, /literals are cut off/],
    ['a length that is cut off', stream([0xf0, 255]), 300, /length is cut off/],
    ['a match without an offset', stream([0x12, 65, 1]), 9, /match is cut off/],
    ['a match before the block', stream([0x10, 65, 2, 0]), 9, /points before/],
    ['a match into the block before', stream([0x10, 65], [0x10, 66, 2, 0]), 9, /points before/],
    ['an offset of zero', stream([0x10, 65, 0, 0]), 9, /points before/],
    ['more literals than announced', stream([0x50, ...ascii('hello')]), 4, /longer than announced/],
    ['a longer match than announced', stream([0x1f, 65, 1, 0, 200]), 20, /longer than announced/],
    ['less than announced', stream([0x50, ...ascii('hello')]), 6, /5 bytes instead of 6/],
  ])('refuses %s', (_name, input, size, message) => {
    expect(() => unpackLz4Legacy(input, size)).toThrow(message);
  });

  it('ends on any damaged input without reading or writing outside', () => {
    const good = stream([0x22, ...ascii('ab'), 2, 0, 0xf0, 1, ...ascii('0123456789abcdef')]);
    for (let at = 4; at < good.length; at++) {
      for (const value of [0, 1, 15, 127, 240, 255]) {
        const bad = Buffer.from(good);
        bad[at] = value;
        try {
          expect(unpackLz4Legacy(bad, 24)).toHaveLength(24);
        } catch (error) {
          expect(String(error)).toMatch(/LZ4/);
        }
      }
    }
  });
});
