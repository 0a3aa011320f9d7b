import {Readable} from 'node:stream';
import {ByteQueue, ownBytes} from './byte-queue.js';
import type {Link} from './link.js';
import {FrameType, INITIAL_CREDIT} from './protocol.js';
import {protocolError} from './protocol-error.js';
import {encodeWindow} from './requests.js';
import type {StallWatch} from './stall-watch.js';

/** Credit goes back in portions: a WINDOW for every read would double the number of frames. */
const PORTION = INITIAL_CREDIT / 2;

export interface OutputStreamOptions {
  readonly session: number;
  /** 1 stdout, 2 stderr. */
  readonly stream: 1 | 2;
  readonly link: Link;
  readonly watch?: StallWatch | undefined;
}

/**
 * What the guest writes. It may send as much as it has credit for, and gets credit as this stream is read: an unread
 * stream holds 256 KiB and no more. A destroyed one discards, so that the guest's writer goes on.
 */
export class OutputStream extends Readable {
  readonly #options: OutputStreamOptions;
  readonly #queue = new ByteQueue();
  #credit = INITIAL_CREDIT;
  /** Read, and not yet given back as credit. */
  #consumed = 0;
  #isWanted = false;
  #isComplete = false;
  #asksToSend = false;

  constructor(options: OutputStreamOptions) {
    super();
    this.#options = options;
    // The session's `exit` tells the error to those who do not look here.
    this.on('error', () => {});
  }

  /** Throws when the guest sends more than it may. */
  expect(size: number): void {
    if (size > this.#credit) throw protocolError(`it sent ${size} bytes with a credit of ${this.#credit}`);
  }

  receive(payload: Buffer): void {
    if (payload.length === 0) return;
    this.#credit -= payload.length;
    if (this.destroyed) this.#consume(payload.length);
    else if (this.#isWanted && this.#queue.size === 0) this.#deliver(ownBytes(payload));
    else this.#queue.add(payload);
  }

  /** Nothing more will come: the stream ends when it has been read. */
  complete(): void {
    this.#isComplete = true;
    this.#deliverNext();
  }

  /** Nothing more will come, and what came is worth nothing. */
  abandon(error: Error): void {
    this.#isComplete = true;
    this.destroy(error);
  }

  override _read(): void {
    this.#isWanted = true;
    this.#deliverNext();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const dropped = this.#queue.size;
    this.#queue.clear();
    this.#options.watch?.stop();
    this.#consume(dropped);
    callback(error);
  }

  #deliverNext(): void {
    if (!this.#isWanted || this.destroyed) return;
    const block = this.#queue.take();
    if (block !== undefined) this.#deliver(block);
    else if (this.#isComplete) this.#end();
    else this.#options.watch?.start();
  }

  #deliver(bytes: Buffer): void {
    this.#isWanted = false;
    this.#options.watch?.stop();
    this.push(bytes);
    this.#consume(bytes.length);
  }

  #end(): void {
    this.#isWanted = false;
    this.#options.watch?.stop();
    this.push(null);
  }

  #consume(size: number): void {
    this.#consumed += size;
    this.#giveCredit();
  }

  #giveCredit(): void {
    if (this.#isComplete || this.#consumed < PORTION || this.#asksToSend) return;
    const {link, session, stream} = this.#options;
    if (!link.isWritable()) {
      // A guest that sends and never reads must not make us queue a frame for every portion.
      this.#asksToSend = true;
      link.whenWritable(() => {
        this.#asksToSend = false;
        this.#giveCredit();
      });
      return;
    }
    const credit = this.#consumed;
    this.#consumed = 0;
    this.#credit += credit;
    link.send({type: FrameType.WINDOW, session, payload: encodeWindow(stream, credit)});
  }
}
