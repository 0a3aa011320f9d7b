/** The byte stream to the guest agent, over the standard input and output of `krunvm start`. */
import {Duplex, type Readable, type Writable} from 'node:stream';
import {createPreamble} from './preamble.js';

export interface StdioChannel {
  /** Begins with the agent's first frame. */
  readonly channel: Duplex;
  /** Resolves when that has come. */
  readonly opened: Promise<void>;
  readonly isOpen: () => boolean;
  /** krunvm's own words before it. */
  readonly words: () => Buffer;
}

export interface StdioChannelOptions {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** What is waited for between the end of standard output and that of the channel, which then can tell its cause. */
  readonly untilExplained?: () => Promise<unknown>;
}

/** Reads standard output to its end whatever becomes of the channel: a VMM that nobody reads from hangs for ever. */
export const openChannel = ({stdin, stdout, untilExplained}: StdioChannelOptions): StdioChannel => {
  const preamble = createPreamble();
  let isOpen = false;
  let tellOpened = (): void => {};
  const opened = new Promise<void>((resolve) => {
    tellOpened = resolve;
  });
  const channel = new Duplex({
    read: () => {
      stdout.resume();
    },
    write: (chunk: Buffer, _encoding, done) => {
      stdin.write(chunk, (error) => done(error ?? null));
    },
    final: (done) => {
      stdin.end(() => done());
    },
    destroy: (error, done) => {
      stdin.destroy();
      stdout.resume();
      done(error);
    },
  });
  const pass = (bytes: Buffer): void => {
    if (!channel.destroyed && !channel.push(bytes)) stdout.pause();
  };
  stdout.on('data', (chunk: Buffer) => {
    if (isOpen) return pass(chunk);
    const first = preamble.push(chunk);
    if (first === undefined) return;
    isOpen = true;
    tellOpened();
    pass(first);
  });
  stdout.once('end', async () => {
    await untilExplained?.();
    if (!channel.destroyed) channel.push(null);
  });
  stdout.once('error', (error) => channel.destroy(error));
  stdin.on('error', (error) => channel.destroy(error));
  return {channel, opened, isOpen: () => isOpen, words: preamble.words};
};
