/** Unpacks the LZ4 "legacy" stream that Linux kernels are compressed with, so that no tool needs to be installed. */
const MAGIC = 0x184c2102;
const MIN_MATCH = 4;

/** Unpacks `stream` into exactly `size` bytes; anything else that it holds is an error. */
export const unpackLz4Legacy = (stream: Buffer, size: number): Buffer => {
  if (stream.length < 4 || stream.readUInt32LE(0) !== MAGIC) throw new Error('not an LZ4 legacy stream');
  const output = Buffer.alloc(size);
  let read = 4;
  let written = 0;
  while (read + 4 <= stream.length) {
    const length = stream.readUInt32LE(read);
    read += 4;
    if (length === MAGIC) continue; // streams may follow each other
    if (read + length > stream.length) throw new Error('LZ4 block is cut off');
    written = unpackBlock({block: stream.subarray(read, read + length), output, start: written});
    read += length;
  }
  if (written !== size) throw new Error(`LZ4 stream holds ${written} bytes instead of ${size}`);
  return output;
};

interface Block {
  readonly block: Buffer;
  readonly output: Buffer;
  /** Where in `output` the block begins. */
  readonly start: number;
}

/** Returns the position in `output` behind the block. */
const unpackBlock = ({block, output, start}: Block): number => {
  let read = 0;
  let written = start;
  while (read < block.length) {
    const token = block[read++] ?? 0;
    const literals = readLength(block, read, token >> 4);
    read = literals.next;
    if (read + literals.length > block.length) throw new Error('LZ4 literals are cut off');
    if (written + literals.length > output.length) throw new Error('LZ4 stream is longer than announced');
    block.copy(output, written, read, read + literals.length);
    read += literals.length;
    written += literals.length;
    if (read === block.length) break; // the last sequence has no match
    if (read + 2 > block.length) throw new Error('LZ4 match is cut off');
    const offset = block.readUInt16LE(read);
    const match = readLength(block, read + 2, token & 15);
    read = match.next;
    written = copyMatch({output, start, written, offset, length: match.length + MIN_MATCH});
  }
  return written;
};

/** A length of 15 goes on in the following bytes, up to the first that is not 255. */
const readLength = (block: Buffer, at: number, nibble: number): {length: number; next: number} => {
  let length = nibble;
  let next = at;
  if (nibble < 15) return {length, next};
  for (;;) {
    const byte = block[next++];
    if (byte === undefined) throw new Error('LZ4 length is cut off');
    length += byte;
    if (byte !== 255) return {length, next};
  }
};

interface Match {
  readonly output: Buffer;
  readonly start: number;
  readonly written: number;
  readonly offset: number;
  readonly length: number;
}

/** A match may overlap what it writes, and then repeats it. */
const copyMatch = ({output, start, written, offset, length}: Match): number => {
  const from = written - offset;
  if (offset === 0 || from < start) throw new Error('LZ4 match points before its block');
  if (written + length > output.length) throw new Error('LZ4 stream is longer than announced');
  if (offset >= length) output.copyWithin(written, from, from + length);
  else for (let index = 0; index < length; index++) output[written + index] = output[from + index] ?? 0;
  return written + length;
};
