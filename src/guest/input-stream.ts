import {Writable} from 'node:stream';
import type {Link} from './link.js';
import {FrameType, INITIAL_CREDIT} from './protocol.js';
import {protocolError} from './protocol-error.js';
import type {StallWatch} from './stall-watch.js';

/** Larger frames would let one session hold up the others. */
const FRAME_BYTES = 64 * 1024;

export interface InputStreamOptions {
  readonly session: number;
  readonly link: Link;
  readonly watch?: StallWatch | undefined;
  /** What it may send before the guest gives more. */
  readonly credit: number;
}

/**
 * The guest's standard input. It takes bytes as the guest gives credit; when the session has ended it takes all there
 * is and drops it, as a shell ignores EPIPE.
 */
export class InputStream extends Writable {
  readonly #options: InputStreamOptions;
  #credit: number;
  #pending: {readonly bytes: Buffer; readonly taken: () => void} | undefined;
  #asksToSend = false;
  #sentEnd = false;
  #isOver = false;

  constructor(options: InputStreamOptions) {
    super({highWaterMark: FRAME_BYTES});
    this.#options = options;
    this.#credit = options.credit;
    // A writer that goes on after destroy() is told through its callback; nobody else needs to hear of it.
    this.on('error', () => {});
  }

  /** The guest has read: it gives back what it was sent, never more. */
  addCredit(credit: number): void {
    if (this.#credit + credit > INITIAL_CREDIT) {
      throw protocolError(`it gave credit for ${credit} bytes that it never got`);
    }
    this.#credit += credit;
    this.#send();
  }

  /** The session has ended. */
  over(): void {
    this.#isOver = true;
    this.#options.watch?.stop();
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.taken();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    // Not at once: an endless source would keep the event loop to itself.
    if (this.#isOver) return void setImmediate(taken);
    this.#pending = {bytes, taken};
    this.#send();
  }

  override _final(callback: () => void): void {
    this.#sendEnd();
    callback();
  }

  /** Destroyed before its end: the guest sees the end here, as with a pipe whose writer died. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#pending = undefined;
    this.#sendEnd();
    callback(error);
  }

  #send(): void {
    const {link, session} = this.#options;
    while (this.#pending !== undefined && this.#credit > 0 && link.isWritable()) {
      const {bytes, taken} = this.#pending;
      const payload = bytes.subarray(0, Math.min(this.#credit, FRAME_BYTES));
      this.#credit -= payload.length;
      link.send({type: FrameType.STDIN, session, payload});
      const rest = bytes.subarray(payload.length);
      this.#pending = rest.length > 0 ? {bytes: rest, taken} : undefined;
      if (rest.length === 0) taken();
    }
    this.#wait();
  }

  #wait(): void {
    const {link, watch} = this.#options;
    const isWaiting = this.#pending !== undefined || this.#sentEnd;
    if (isWaiting) watch?.start();
    else watch?.stop();
    if (this.#pending === undefined || this.#credit === 0 || this.#asksToSend) return;
    this.#asksToSend = true;
    link.whenWritable(() => {
      this.#asksToSend = false;
      this.#send();
    });
  }

  #sendEnd(): void {
    if (this.#isOver || this.#sentEnd) return;
    this.#sentEnd = true;
    const {link, session, watch} = this.#options;
    link.send({type: FrameType.STDIN_EOF, session});
    // What is left is the guest's: to write it all down and say EXIT.
    watch?.start();
  }
}
