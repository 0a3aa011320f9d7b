import {FIELD_HEAD_BYTES, repeatableTags, Tag} from './protocol.js';
import {protocolError} from './protocol-error.js';

/** More of a repeated field than this is read over: nobody has a use for it. */
const MAX_REPEATS = 64;

/** Typed and bounded access to the fields of a payload; every mismatch is a violation that names the field. */
export interface Fields {
  readonly u32: (tag: number) => number | undefined;
  /** A u64 as a number: one beyond 2^53 is a violation, nothing that we count gets there. */
  readonly u64: (tag: number) => number | undefined;
  readonly string: (tag: number) => Buffer | undefined;
  readonly strings: (tag: number) => readonly Buffer[];
}

export const decodeFields = (payload: Buffer): Fields => {
  const values = collect(payload);
  const one = (tag: number): Buffer | undefined => values.get(tag)?.[0];
  return {
    u32: (tag) => integer(tag, one(tag), 4),
    u64: (tag) => integer(tag, one(tag), 8),
    string: (tag) => withoutNul(tag, one(tag)),
    strings: (tag) => values.get(tag) ?? [],
  };
};

const collect = (payload: Buffer): Map<number, Buffer[]> => {
  const values = new Map<number, Buffer[]>();
  let offset = 0;
  while (offset < payload.length) {
    if (payload.length - offset < FIELD_HEAD_BYTES) throw protocolError('a field is cut short');
    const tag = payload.readUInt8(offset);
    const length = payload.readUInt32LE(offset + 1);
    const start = offset + FIELD_HEAD_BYTES;
    if (length > payload.length - start) throw protocolError(`field ${nameOf(tag)} is longer than its frame`);
    offset = start + length;
    if (knownTags.has(tag)) keep(values, tag, payload.subarray(start, offset));
  }
  return values;
};

const keep = (values: Map<number, Buffer[]>, tag: number, value: Buffer): void => {
  const earlier = values.get(tag);
  if (earlier === undefined) values.set(tag, [value]);
  else if (!repeatableTags.includes(tag)) throw protocolError(`field ${nameOf(tag)} is there twice`);
  else if (earlier.length < MAX_REPEATS) earlier.push(value);
};

const integer = (tag: number, value: Buffer | undefined, bytes: 4 | 8): number | undefined => {
  if (value === undefined) return undefined;
  if (value.length !== bytes) throw protocolError(`field ${nameOf(tag)} has ${value.length} bytes`);
  return bytes === 4 ? value.readUInt32LE(0) : safeU64(value, `field ${nameOf(tag)}`);
};

/** A u64 at the start of `bytes` that a number can hold exactly. */
export const safeU64 = (bytes: Buffer, what: string): number => {
  const number = bytes.readBigUInt64LE(0);
  if (number > BigInt(Number.MAX_SAFE_INTEGER)) throw protocolError(`${what} is out of range`);
  return Number(number);
};

const withoutNul = (tag: number, value: Buffer | undefined): Buffer | undefined => {
  if (value?.includes(0)) throw protocolError(`field ${nameOf(tag)} holds a NUL`);
  return value;
};

const tagNames = new Map<number, string>(Object.entries(Tag).map(([name, tag]) => [tag, name]));
const knownTags: ReadonlySet<number> = new Set(tagNames.keys());
const nameOf = (tag: number): string => tagNames.get(tag) ?? String(tag);
