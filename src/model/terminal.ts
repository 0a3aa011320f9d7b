/** The terminal that a person sits at, as those see it who pass it on to a guest. */
import type {Readable} from 'node:stream';
import type {Sink} from './sink.js';

/** In characters, 1 to 65535. */
export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

export interface Terminal {
  readonly size: () => WindowSize;
  /**
   * From here on every key is a byte and every byte is drawn as it is, until it is released; the process never ends, and
   * never stops, without giving the terminal back as it was. What is drawn goes to `screen`.
   */
  readonly hold: (screen: Sink) => HeldTerminal;
}

export interface HeldTerminal {
  /** What is typed, byte for byte. */
  readonly typed: Readable;
  /** `screen`, watched for what has to be undone. */
  readonly screen: Sink;
  /** Resolves when the person goes (ctrl-]) or the terminal has gone. Never rejects. */
  readonly left: Promise<'detached' | 'gone'>;
  /** Calls back at each change of the size. */
  readonly onResize: (listener: (size: WindowSize) => void) => void;
  /** Gives it back. What drew on it has tidied up after itself, or else that is done here. */
  readonly release: (isTidy: boolean) => void;
}
