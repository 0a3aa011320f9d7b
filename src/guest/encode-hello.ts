import {bytesField, encodeFields, stringField, u32Field, u64Field} from './field-encoder.js';
import type {Hello} from './guest.js';
import {protocolVersion, Tag} from './protocol.js';

/** The payload of HELLO, for those who pass it on. */
export const encodeHello = ({kernel, machine, memoryBytes, phases}: Hello): Buffer =>
  encodeFields([
    u32Field(Tag.VERSION, protocolVersion),
    stringField(Tag.KERNEL, kernel),
    stringField(Tag.MACHINE, machine),
    u64Field(Tag.MEMORY, BigInt(memoryBytes)),
    ...phases.map(({name, atMs}) => bytesField(Tag.PHASE, phaseValue(name, atMs))),
  ]);

const phaseValue = (name: string, atMs: number): Buffer => {
  const microseconds = Buffer.alloc(8);
  microseconds.writeBigUInt64LE(BigInt(Math.round(atMs * 1000)));
  return Buffer.concat([microseconds, Buffer.from(name)]);
};
