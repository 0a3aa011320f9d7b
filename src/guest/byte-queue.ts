const BLOCK_BYTES = 16 * 1024;

/** Bytes that wait for a reader, packed into blocks of their own: many small pieces cost no more than a few big. */
export class ByteQueue {
  #blocks: Buffer[] = [];
  /** Bytes used in the last block. */
  #tailFilled = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(bytes: Buffer): void {
    this.#size += bytes.length;
    const rest = bytes.subarray(this.#fillTail(bytes));
    if (rest.length === 0) return;
    const block = Buffer.allocUnsafeSlow(Math.max(rest.length, BLOCK_BYTES));
    this.#tailFilled = rest.copy(block);
    this.#blocks.push(block);
  }

  /** The oldest block, or undefined when there is none. */
  take(): Buffer | undefined {
    const block = this.#blocks.shift();
    if (block === undefined) return undefined;
    const filled = this.#blocks.length === 0 ? block.subarray(0, this.#tailFilled) : block;
    this.#size -= filled.length;
    return ownBytes(filled);
  }

  clear(): void {
    this.#blocks = [];
    this.#size = 0;
  }

  #fillTail(bytes: Buffer): number {
    const tail = this.#blocks.at(-1);
    if (tail === undefined) return 0;
    const taken = bytes.copy(tail, this.#tailFilled);
    this.#tailFilled += taken;
    return taken;
  }
}

/** The same bytes, copied where they are the smaller part of what they keep in memory. */
export const ownBytes = (bytes: Buffer): Buffer => {
  if (bytes.length * 2 >= bytes.buffer.byteLength) return bytes;
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
};
