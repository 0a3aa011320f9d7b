import {FIELD_HEAD_BYTES} from './protocol.js';

export interface Field {
  readonly tag: number;
  readonly value: Buffer;
}

/** A string of the protocol must not hold a NUL: callers check what users typed before it comes here. */
export const stringField = (tag: number, text: string): Field => ({tag, value: Buffer.from(text, 'utf8')});

export const bytesField = (tag: number, value: Buffer): Field => ({tag, value});

export const u32Field = (tag: number, number: number): Field => {
  const value = Buffer.alloc(4);
  value.writeUInt32LE(number);
  return {tag, value};
};

export const u64Field = (tag: number, number: bigint): Field => {
  const value = Buffer.alloc(8);
  value.writeBigUInt64LE(number);
  return {tag, value};
};

export const fieldsSize = (fields: readonly Field[]): number =>
  fields.reduce((sum, {value}) => sum + FIELD_HEAD_BYTES + value.length, 0);

export const encodeFields = (fields: readonly Field[]): Buffer => {
  const payload = Buffer.allocUnsafe(fieldsSize(fields));
  let offset = 0;
  for (const {tag, value} of fields) {
    payload.writeUInt8(tag, offset);
    payload.writeUInt32LE(value.length, offset + 1);
    value.copy(payload, offset + FIELD_HEAD_BYTES);
    offset += FIELD_HEAD_BYTES + value.length;
  }
  return payload;
};
