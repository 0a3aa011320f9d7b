import {PassThrough, Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import {expect, it} from 'vitest';
import {paced} from '../../src/guest/paced.js';

const signal = new AbortController().signal;

it('passes on what is quick enough, byte for byte', async () => {
  const content = Buffer.alloc(300_000, 'abc');
  const source = Readable.from([content.subarray(0, 7), content.subarray(7)]);
  expect(await buffer(paced(source, {phase: 'copying', signal}))).toEqual(content);
});

it('ends a stream that drips, and its source with it', async () => {
  const source = new PassThrough();
  const drip = setInterval(() => source.write('x'), 5);
  const ended = buffer(paced(source, {phase: 'copying', signal, baseMs: 300}));
  await expect(ended).rejects.toMatchObject({code: 'DEADLINE', message: expect.stringContaining('copying')});
  clearInterval(drip);
  expect(source.destroyed).toBe(true);
});

it('ends when it is interrupted', async () => {
  const interruption = new AbortController();
  const ended = buffer(paced(new PassThrough(), {phase: 'copying', signal: interruption.signal}));
  interruption.abort();
  await expect(ended).rejects.toMatchObject({code: 'INTERRUPTED'});
});
