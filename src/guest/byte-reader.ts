import {protocolError} from './protocol-error.js';

const NOTHING = Buffer.alloc(0);

/** Reads a stream of a guest's by the byte, without keeping more than one chunk of it. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #chunk: Buffer = NOTHING;

  constructor(source: AsyncIterable<Buffer>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** At least one byte and at most `max`, or nothing at the end. */
  async some(max: number): Promise<Buffer> {
    while (this.#chunk.length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return NOTHING;
      this.#chunk = next.value;
    }
    const taken = this.#chunk.subarray(0, max);
    this.#chunk = this.#chunk.subarray(taken.length);
    return taken;
  }

  /** The next `size` bytes in chunks, whole or with an error at the end. */
  async *exactly(size: number): AsyncGenerator<Buffer> {
    let missing = size;
    while (missing > 0) {
      const bytes = await this.some(missing);
      if (bytes.length === 0) throw protocolError('its archive is cut short');
      missing -= bytes.length;
      yield bytes;
    }
  }

  /** The next `size` bytes in one piece, which is kept in memory. */
  async block(size: number): Promise<Buffer> {
    if (this.#chunk.length >= size) return this.some(size);
    const parts: Buffer[] = [];
    for await (const part of this.exactly(size)) parts.push(part);
    return Buffer.concat(parts);
  }

  async skip(size: number): Promise<void> {
    let missing = size;
    for await (const bytes of this.exactly(size)) missing -= bytes.length;
    if (missing !== 0) throw protocolError('its archive is cut short');
  }
}
