import {describe, expect, it} from 'vitest';
import {decodeFields} from '../../src/guest/field-decoder.js';
import {Tag} from '../../src/guest/protocol.js';
import {
  encodeExec,
  encodeGet,
  encodePut,
  encodeSignal,
  encodeSync,
  encodeWindow,
} from '../../src/guest/requests.js';

const request = {argv: ['/bin/echo', ''], env: ['A=1', 'B='], cwd: '/tmp', user: 'nobody'};

describe('EXEC', () => {
  it('carries the command', () => {
    const fields = decodeFields(encodeExec(request));
    expect(fields.strings(Tag.ARG).map(String)).toEqual(['/bin/echo', '']);
    expect(fields.strings(Tag.ENV).map(String)).toEqual(['A=1', 'B=']);
    expect(fields.string(Tag.CWD)?.toString()).toBe('/tmp');
    expect(fields.string(Tag.USER)?.toString()).toBe('nobody');
  });

  it('leaves out the user for root', () => {
    expect(decodeFields(encodeExec({...request, user: ''})).string(Tag.USER)).toBeUndefined();
  });

  it('counts bytes, not characters, against the limit of a frame', () => {
    const most = 1_048_576 - 5 - 5 - 5 - '/'.length;
    const one = (argument: string): Buffer => encodeExec({argv: [argument], env: [], cwd: '/', user: ''});
    expect(one('x'.repeat(most)).length).toBe(1_048_576 - 5);
    expect(() => one('x'.repeat(most + 1))).toThrow();
    expect(() => one('ä'.repeat(most / 2 + 1))).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: 'The command and its environment take 1.00 MiB; a guest takes 1 MiB at most.',
        hints: ['pass large data on standard input, or as a file: --file PATH'],
      }),
    );
  });

  it.each([
    ['no command', {argv: []}],
    ['a NUL in an argument', {argv: ['a\0b']}],
    ['a NUL in a variable', {env: ['A=\0']}],
    ['a variable without a value', {env: ['A']}],
    ['a variable without a name', {env: ['=1']}],
    ['a relative directory', {cwd: 'tmp'}],
    ['a NUL in the user', {user: '\0'}],
  ])('refuses %s', (_what, wrong) => {
    expect(() => encodeExec({...request, ...wrong})).toThrow(expect.objectContaining({code: 'USAGE'}));
  });
});

describe('other requests', () => {
  it('carry paths and limits', () => {
    const fields = decodeFields(encodePut('/in', {maxBytes: 2 ** 40, maxEntries: 7, user: 'a:b'}));
    expect(fields.string(Tag.PATH)?.toString()).toBe('/in');
    expect(fields.u64(Tag.MAX_BYTES)).toBe(2 ** 40);
    expect(fields.u32(Tag.MAX_ENTRIES)).toBe(7);
    expect(fields.string(Tag.USER)?.toString()).toBe('a:b');
    expect(() => encodeGet('out', {maxBytes: 1, maxEntries: 1})).toThrow('not absolute');
  });

  it('have the bytes that the page names', () => {
    expect(encodeSignal(15, 'command')).toEqual(Buffer.from([15, 0]));
    expect(encodeSignal(9, 'everything')).toEqual(Buffer.from([9, 1]));
    for (const signal of [0, 65, 1.5, -1]) expect(() => encodeSignal(signal, 'command')).toThrow(RangeError);
    expect(encodeWindow(2, 0x01020304)).toEqual(Buffer.from([2, 4, 3, 2, 1]));
    expect(encodeSync(5).subarray(0, 13)).toEqual(Buffer.from('4008000000404b4c0000000000', 'hex'));
  });

  it('carry a machine id as bytes, and nothing that is none', () => {
    const id = '0123456789abcdef0123456789abcdef';
    expect(decodeFields(encodeSync(5)).strings(Tag.MACHINE_ID)).toEqual([]);
    expect(decodeFields(encodeSync(5, id)).strings(Tag.MACHINE_ID)[0]?.toString('hex')).toBe(id);
    for (const wrong of ['', id.slice(2), `${id}00`, id.toUpperCase(), `${id}\n`, 'g'.repeat(32)])
      expect(() => encodeSync(5, wrong)).toThrow(RangeError);
  });
});
