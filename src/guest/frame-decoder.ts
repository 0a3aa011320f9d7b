import {LENGTH_BYTES, MAX_LENGTH, MIN_LENGTH} from './protocol.js';
import {protocolError} from './protocol-error.js';

export interface FrameHead {
  readonly type: number;
  readonly session: number;
  /** Bytes of payload. */
  readonly size: number;
}

export interface FrameHandler {
  /** Called before any of the payload is kept; throws where such a frame is not allowed now. */
  readonly accept: (head: FrameHead) => void;
  /** The payload may be a view of the chunk that brought it: copy what is kept for long. */
  readonly receive: (head: FrameHead, payload: Buffer) => void;
}

const HEAD_BYTES = LENGTH_BYTES + MIN_LENGTH;
const NOTHING = Buffer.alloc(0);

/**
 * Cuts a byte stream into frames, however it is chunked. A payload that lies within one chunk is handed on without a
 * copy; one that does not is gathered in a buffer of exactly its size, so that no chunking costs more than a frame.
 */
export class FrameDecoder {
  readonly #handler: FrameHandler;
  readonly #headBytes = Buffer.alloc(HEAD_BYTES);
  #headFilled = 0;
  #head: FrameHead | undefined;
  #body: Buffer = NOTHING;
  #bodyFilled = 0;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** Throws at the first violation; nothing may be pushed after that. */
  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      rest = this.#head === undefined ? this.#takeHead(rest) : this.#takeBody(this.#head, rest);
    }
  }

  #takeHead(chunk: Buffer): Buffer {
    const taken = chunk.copy(this.#headBytes, this.#headFilled);
    this.#headFilled += taken;
    if (this.#headFilled >= LENGTH_BYTES) checkLength(this.#headBytes.readUInt32LE(0));
    const rest = chunk.subarray(taken);
    if (this.#headFilled < HEAD_BYTES) return rest;
    this.#headFilled = 0;
    const head = parseHead(this.#headBytes);
    this.#handler.accept(head);
    return this.#startBody(head, rest);
  }

  #startBody(head: FrameHead, rest: Buffer): Buffer {
    if (rest.length >= head.size) {
      this.#handler.receive(head, rest.subarray(0, head.size));
      return rest.subarray(head.size);
    }
    this.#head = head;
    this.#body = Buffer.allocUnsafeSlow(head.size);
    this.#bodyFilled = 0;
    return rest;
  }

  #takeBody(head: FrameHead, chunk: Buffer): Buffer {
    const taken = chunk.copy(this.#body, this.#bodyFilled);
    this.#bodyFilled += taken;
    if (this.#bodyFilled === head.size) {
      const body = this.#body;
      this.#head = undefined;
      this.#body = NOTHING;
      this.#handler.receive(head, body);
    }
    return chunk.subarray(taken);
  }
}

const checkLength = (length: number): void => {
  if (length < MIN_LENGTH || length > MAX_LENGTH) throw protocolError(`a frame's length is ${length}`);
};

const parseHead = (bytes: Buffer): FrameHead => ({
  size: bytes.readUInt32LE(0) - MIN_LENGTH,
  type: bytes.readUInt8(LENGTH_BYTES),
  session: bytes.readUInt32LE(LENGTH_BYTES + 1),
});
