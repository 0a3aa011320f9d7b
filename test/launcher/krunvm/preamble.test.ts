import {describe, expect, it} from 'vitest';
import {createPreamble} from '../../../src/launcher/krunvm/preamble.js';

/** A frame of the agent's: length, type HELLO, session 0, some fields. */
const hello = Buffer.from([14, 0, 0, 0, 1, 0, 0, 0, 0, 1, 4, 0, 0, 0, 1, 0, 0, 0]);

const feed = (chunks: readonly Buffer[]) => {
  const preamble = createPreamble();
  let frames: Buffer | undefined;
  for (const chunk of chunks) {
    frames = frames ? Buffer.concat([frames, chunk]) : preamble.push(chunk);
  }
  return {frames: frames ?? Buffer.alloc(0), words: preamble.words().toString()};
};

describe('the beginning of standard output', () => {
  it('is the agent’s first frame, and nothing is lost of it', () => {
    const bytes = Buffer.concat([hello, Buffer.from('what follows\n')]);
    expect(feed([bytes])).toEqual({frames: bytes, words: ''});
  });

  it('may come byte by byte', () => {
    expect(feed([...hello].map((byte) => Buffer.from([byte])))).toEqual({frames: hello, words: ''});
  });

  it.each(['a warning\n', '\n', 'one\ntwo\n', 'No VM found with name x\n'])(
    'may be preceded by %j',
    (text) => {
      expect(feed([Buffer.from(text), hello])).toEqual({frames: hello, words: text});
      expect(feed([Buffer.concat([Buffer.from(text), hello])])).toEqual({frames: hello, words: text});
    },
  );

  it.each(['No VM found with name x', 'x', '', 'one\ntwo'])('is krunvm’s words alone: %j', (text) => {
    expect(feed([Buffer.from(text)])).toEqual({frames: Buffer.alloc(0), words: text});
  });

  it('keeps the last of endless words', () => {
    const preamble = createPreamble();
    for (let round = 0; round < 100; round++) preamble.push(Buffer.alloc(10_000, `${round % 10}`));
    expect(preamble.words().length).toBe(65_536);
    expect(preamble.words().toString().endsWith('9')).toBe(true);
  });
});
