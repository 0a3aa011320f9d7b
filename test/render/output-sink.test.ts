import {PassThrough, Writable} from 'node:stream';
import {describe, expect, it} from 'vitest';
import {createBudget, memorySink, type Sink} from '../../src/model/sink.js';
import {outputFields} from '../../src/render/captured-output.js';
import {prefixedSink, streamSink} from '../../src/render/output-sink.js';

const writeAll = async (sink: Sink, chunks: readonly (string | Buffer)[]): Promise<void> => {
  for (const chunk of chunks) await sink.write(Buffer.from(chunk));
  await sink.close();
};

describe('lines with the name of their VM', () => {
  it.each<[string, readonly (string | Buffer)[], string]>([
    ['whole lines', ['a\nb\n'], 'vm | a\nvm | b\n'],
    ['lines in pieces', ['a', 'b', '\nc', '\n'], 'vm | ab\nvm | c\n'],
    ['a last line without an end', ['a\nb'], 'vm | a\nvm | b\n'],
    ['empty lines', ['\n\n'], 'vm | \nvm | \n'],
    ['nothing', [], ''],
    ['a character cut in two', [Buffer.from([0xc3]), Buffer.from([0xa4, 0x0a])], 'vm | ä\n'],
  ])('%s', async (_, chunks, expected) => {
    const memory = memorySink(1_000);
    await writeAll(prefixedSink(memory, 'vm | '), chunks);
    expect(memory.content().toString()).toBe(expected);
  });

  it('do not grow without bound', async () => {
    const memory = memorySink(1_000_000);
    await writeAll(prefixedSink(memory, '> '), ['x'.repeat(70_000), 'y\n']);
    const lines = memory.content().toString().split('\n');
    expect(lines.map((line) => line.length)).toEqual([70_002, 3, 0]);
  });
});

describe('our own streams', () => {
  it('get the bytes as they are', async () => {
    const stream = new PassThrough();
    await writeAll(streamSink(stream), [Buffer.from([0, 255, 10])]);
    expect(stream.read()).toEqual(Buffer.from([0, 255, 10]));
  });

  it('tell that nobody reads them any more', async () => {
    const closed = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), {code: 'EPIPE'})),
    });
    closed.on('error', () => {});
    await expect(streamSink(closed).write(Buffer.from('x'))).rejects.toMatchObject({code: 'BROKEN_PIPE'});
  });
});

describe('captured output', () => {
  it('is text where it is UTF-8, base64 where it is not', () => {
    expect(outputFields('stdout', Buffer.from('ä\u0000\ufeff'))).toEqual({stdout_text: 'ä\u0000\ufeff'});
    expect(outputFields('stderr', Buffer.from([0xff]))).toEqual({stderr_base64: '/w=='});
  });
});

describe('a budget', () => {
  it('is shared by streams, and says when something was dropped', () => {
    const budget = createBudget(4);
    expect(budget.take(Buffer.from('abc')).toString()).toBe('abc');
    expect(budget.isExceeded()).toBe(false);
    expect(budget.take(Buffer.from('de')).toString()).toBe('d');
    expect(budget.isExceeded()).toBe(true);
    expect(budget.take(Buffer.from('f'))).toHaveLength(0);
  });
});
