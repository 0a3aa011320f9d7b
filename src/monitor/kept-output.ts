import {createTail, type Tail} from '../model/tail.js';

/** Of each stream. */
export const KEPT_BYTES = 64 * 1024;

/** The end of what a stream said while nobody listened. */
export class KeptOutput {
  #tail: Tail | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(bytes: Buffer): void {
    this.#tail ??= createTail(KEPT_BYTES);
    this.#tail.push(bytes);
    this.#size = Math.min(KEPT_BYTES, this.#size + bytes.length);
  }

  bytes(): Buffer {
    return this.#tail?.bytes() ?? Buffer.alloc(0);
  }
}
