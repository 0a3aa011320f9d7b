import {ByteQueue} from '../guest/byte-queue.js';
import type {Link} from '../guest/link.js';
import {FrameType, StreamNumber} from '../guest/protocol.js';
import {encodeWindow} from '../guest/requests.js';
import type {SessionTarget} from './relayed-session.js';

/**
 * What a client is sent of one session. While its connection takes no more, output and credit are gathered: however
 * small the frames that the guest sends, a client that does not read costs no more than the session's credit.
 */
export class Outbox implements SessionTarget {
  readonly #link: Link;
  readonly #session: number;
  readonly #outputs: ReadonlyMap<number, ByteQueue> = new Map([
    [FrameType.STDOUT, new ByteQueue()],
    [FrameType.STDERR, new ByteQueue()],
  ]);
  #credit = 0;
  #isWaiting = false;

  constructor(link: Link, session: number) {
    this.#link = link;
    this.#session = session;
  }

  send(type: number, payload: Buffer): void {
    if (this.#isEmpty && this.#link.isWritable()) this.#sendNow(type, payload);
    else if (type === FrameType.EXIT) this.#sendLast(payload);
    else this.#gather(type, payload);
  }

  get #isEmpty(): boolean {
    return this.#credit === 0 && [...this.#outputs.values()].every(({size}) => size === 0);
  }

  #sendNow(type: number, payload: Buffer): void {
    this.#link.send({type, session: this.#session, payload});
  }

  #sendLast(payload: Buffer): void {
    while (!this.#isEmpty) this.#sendSome();
    this.#sendNow(FrameType.EXIT, payload);
  }

  #gather(type: number, payload: Buffer): void {
    const queue = this.#outputs.get(type);
    if (queue) queue.add(payload);
    else this.#credit += payload.readUInt32LE(1);
    this.#wait();
  }

  #wait(): void {
    if (this.#isWaiting || this.#isEmpty) return;
    this.#isWaiting = true;
    this.#link.whenWritable(() => {
      this.#isWaiting = false;
      this.#sendSome();
      this.#wait();
    });
  }

  /** One frame of each kind: sessions take turns. */
  #sendSome(): void {
    if (this.#credit > 0) this.#sendNow(FrameType.WINDOW, encodeWindow(StreamNumber.stdin, this.#credit));
    this.#credit = 0;
    for (const [type, queue] of this.#outputs) {
      const block = queue.take();
      if (block) this.#sendNow(type, block);
    }
  }
}
