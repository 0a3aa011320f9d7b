import {EventEmitter} from 'node:events';
import type {Socket} from 'node:net';

/** As much of a socket as the decoders' owners use, at once and without the kernel: millions of frames go through. */
export class FakeChannel extends EventEmitter {
  destroyed = false;
  readonly readableEnded = false;
  writableNeedDrain = false;
  /** Bytes that the other end was sent. */
  written = 0;
  readonly #onWrite: (frame: Buffer) => void;

  /** `onWrite` gets one frame at a time. */
  constructor(onWrite: (frame: Buffer) => void = () => {}) {
    super();
    this.#onWrite = onWrite;
  }

  get writable(): boolean {
    return !this.destroyed;
  }

  /** For those who take a socket. */
  get socket(): Socket {
    return this as unknown as Socket;
  }

  write(frame: Buffer): boolean {
    this.written += frame.length;
    this.#onWrite(frame);
    return !this.writableNeedDrain;
  }

  /** The other end sends. */
  push(bytes: Buffer): void {
    if (!this.destroyed) this.emit('data', bytes);
  }

  /** The other end reads again. */
  drain(): void {
    this.writableNeedDrain = false;
    if (!this.destroyed) this.emit('drain');
  }

  pause(): void {}

  resume(): void {}

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('close');
  }
}
