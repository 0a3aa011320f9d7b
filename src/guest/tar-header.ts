import {protocolError} from './protocol-error.js';

/** A tar archive is made of blocks of this size. */
export const BLOCK_BYTES = 512;

/** What a header says of an entry; everything else in it is of no use to us. */
export interface TarHeader {
  /** Raw bytes: any but NUL. */
  readonly name: Buffer;
  readonly type: string;
  readonly size: number;
  readonly mode: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
}

const Field = {
  name: [0, 100],
  mode: [100, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  target: [157, 100],
  magic: [257, 8],
  prefix: [345, 155],
} as const;

const USTAR = Buffer.from('ustar\x0000', 'latin1');

export const isZeroBlock = (block: Buffer): boolean => block.every((byte) => byte === 0);

/** Reads a header from a hostile archive. GNU's own format differs in the magic, and uses the prefix otherwise. */
export const decodeHeader = (block: Buffer): TarHeader => {
  if (checksumOf(block) !== number(block, 'checksum'))
    throw protocolError('its archive has a damaged header');
  const magic = bytes(block, 'magic');
  if (magic.toString('latin1', 0, 5) !== 'ustar')
    throw protocolError('its archive is not of the ustar format');
  const name = untilNul(bytes(block, 'name'));
  const isUstar = magic.subarray(0, 6).equals(USTAR.subarray(0, 6));
  const prefix = isUstar ? untilNul(bytes(block, 'prefix')) : Buffer.alloc(0);
  return {
    name: prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : Buffer.from(name),
    type: bytes(block, 'type').toString('latin1').replace('\0', '0'),
    size: number(block, 'size'),
    mode: number(block, 'mode'),
    mtime: number(block, 'mtime'),
  };
};

export interface NewHeader extends TarHeader {
  readonly prefix?: Buffer;
  /** Where a symbolic link leads. */
  readonly target?: Buffer;
}

/** Writes a header; what is too long for its field is the caller's error. */
export const encodeHeader = ({name, type, size, mode, mtime, prefix, target}: NewHeader): Buffer => {
  const block = Buffer.alloc(BLOCK_BYTES);
  name.copy(block, Field.name[0]);
  writeOctal(block, 'mode', mode);
  writeOctal(block, 'size', size);
  writeOctal(block, 'mtime', mtime);
  block.write(type, Field.type[0], 'latin1');
  target?.copy(block, Field.target[0]);
  USTAR.copy(block, Field.magic[0]);
  prefix?.copy(block, Field.prefix[0]);
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, Field.checksum[0], 'latin1');
  return block;
};

type FieldName = keyof typeof Field;

const bytes = (block: Buffer, field: FieldName): Buffer =>
  block.subarray(Field[field][0], Field[field][0] + Field[field][1]);

const untilNul = (value: Buffer): Buffer => {
  const end = value.indexOf(0);
  return end === -1 ? value : value.subarray(0, end);
};

/** Octal digits, padded with spaces or NULs, or a big-endian integer behind a byte 0x80. */
const number = (block: Buffer, field: FieldName): number => {
  const value = bytes(block, field);
  if (value[0] === 0x80) return bigEndian(value.subarray(1), field);
  const text = value.toString('latin1').replace(/^ +|[ \0]+$/g, '');
  if (!/^[0-7]*$/.test(text)) throw protocolError(`its archive has a bad ${field}`);
  return text === '' ? 0 : Number.parseInt(text, 8);
};

const bigEndian = (value: Buffer, field: FieldName): number => {
  const result = value.reduce((sum, byte) => sum * 256 + byte, 0);
  if (!Number.isSafeInteger(result)) throw protocolError(`its archive has a ${field} out of range`);
  return result;
};

const writeOctal = (block: Buffer, field: FieldName, value: number): void => {
  const [offset, length] = Field[field];
  block.write(value.toString(8).padStart(length - 1, '0'), offset, length - 1, 'latin1');
};

/** The checksum counts its own field as spaces. */
const checksumOf = (block: Buffer): number => {
  const [start, length] = Field.checksum;
  return block.reduce((sum, byte, at) => sum + (at >= start && at < start + length ? 0x20 : byte), 0);
};
