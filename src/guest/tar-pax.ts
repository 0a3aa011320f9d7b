import {protocolError} from './protocol-error.js';

/** What a pax header may change about the entry that follows it; other keywords are read over. */
export interface PaxRecords {
  readonly path?: Buffer;
  readonly size?: number;
}

/** Reads the records `LENGTH KEYWORD=VALUE\n` of a hostile pax header. */
export const decodePax = (content: Buffer): PaxRecords => {
  const records: {path?: Buffer; size?: number} = {};
  let rest = content;
  while (rest.length > 0) {
    const {keyword, value, length} = nextRecord(rest);
    if (keyword === 'path') records.path = Buffer.from(value);
    if (keyword === 'size') records.size = parseSize(value);
    rest = rest.subarray(length);
  }
  return records;
};

export const encodePax = (keyword: string, value: Buffer): Buffer => {
  const tail = Buffer.concat([Buffer.from(` ${keyword}=`), value, Buffer.from('\n')]);
  // The length counts its own digits.
  let length = tail.length + 1;
  while (String(length).length + tail.length !== length) length = String(length).length + tail.length;
  return Buffer.concat([Buffer.from(String(length)), tail]);
};

const nextRecord = (bytes: Buffer): {keyword: string; value: Buffer; length: number} => {
  const digits = /^([1-9][0-9]{0,6}) /.exec(bytes.toString('latin1', 0, 8))?.[1];
  const length = Number(digits);
  if (digits === undefined || length > bytes.length || bytes[length - 1] !== 0x0a) {
    throw protocolError('its archive has a bad pax record');
  }
  const record = bytes.subarray(digits.length + 1, length - 1);
  const equals = record.indexOf('=');
  if (equals < 1) throw protocolError('its archive has a pax record without a keyword');
  return {keyword: record.toString('latin1', 0, equals), value: record.subarray(equals + 1), length};
};

const parseSize = (value: Buffer): number => {
  const text = value.toString('latin1');
  const size = Number(text);
  if (!/^[0-9]{1,16}$/.test(text) || !Number.isSafeInteger(size)) {
    throw protocolError('its archive has a bad size in a pax record');
  }
  return size;
};
