import {expect, it} from 'vitest';
import {decodeFields} from '../../src/guest/field-decoder.js';
import {FrameType, Tag} from '../../src/guest/protocol.js';
import {encodeStart} from '../../src/guest/start-frame.js';

const start = {hostName: 'python-abc12345', upper: '/dev/vdb', persist: '/dev/vdc'};

it('is one whole frame of session 0', () => {
  const frame = encodeStart(start);
  expect(frame.readUInt32LE(0)).toBe(frame.length - 4);
  expect(frame.readUInt8(4)).toBe(FrameType.START);
  expect(frame.readUInt32LE(5)).toBe(0);
  const fields = decodeFields(frame.subarray(9));
  expect(String(fields.string(Tag.HOST))).toBe('python-abc12345');
  expect(String(fields.string(Tag.UPPER))).toBe('/dev/vdb');
  expect(String(fields.string(Tag.PERSIST))).toBe('/dev/vdc');
});

it('says nothing of disks that are not there', () => {
  const fields = decodeFields(encodeStart({...start, upper: null, persist: null}).subarray(9));
  expect(fields.string(Tag.UPPER)).toBeUndefined();
  expect(fields.string(Tag.PERSIST)).toBeUndefined();
});

it.each([
  ['empty', ''],
  ['with a NUL', 'a\0b'],
  ['with a line break', 'a\nb'],
  ['of 65 bytes', 'a'.repeat(65)],
])('refuses a host name %s', (_what, hostName) => {
  expect(() => encodeStart({...start, hostName})).toThrow(RangeError);
});
