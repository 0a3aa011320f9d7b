/**
 * The terminal that we were started on: raw while a guest has it, and given back on every ending: by `release`, at the
 * process's exit, and before it stops. May import: model, process.
 */
import {Readable} from 'node:stream';
import type {Sink} from '../model/sink.js';
import type {HeldTerminal, Terminal, WindowSize} from '../model/terminal.js';
import {createDetachScanner} from './detach-scanner.js';
import {createScreenState} from './screen-state.js';
import * as stty from './stty.js';
import {isSameSize, measure} from './window-size.js';

/** The terminal behind standard input, or null where that is a file or a pipe. */
export const findTerminal = (): Terminal | null =>
  process.stdin.isTTY ? {size: measureOurs, hold: holdOurs} : null;

const measureOurs = (): WindowSize => measure([process.stdout, process.stderr], stty.readSize);

const holdOurs = (sink: Sink): HeldTerminal => {
  const state = createScreenState();
  const keys = readKeys();
  const resizing = watchSize();
  let isReleased = false;
  const giveBack = holdModes({undo: state.undo, onContinue: resizing.check});
  return {
    typed: keys.typed,
    left: keys.left,
    screen: {
      ...sink,
      write: async (chunk) => {
        if (isReleased) return; // it is somebody else's again
        state.watch(chunk);
        await sink.write(chunk);
      },
    },
    onResize: resizing.onResize,
    release: (isTidy) => {
      isReleased = true;
      resizing.end();
      keys.end();
      giveBack(isTidy && state.isTidy());
    },
  };
};

interface ModesOptions {
  /** What gives a screen back that nobody has tidied up. */
  readonly undo: () => string;
  readonly onContinue: () => void;
}

/** Sets raw modes; returns what gives the terminal back, once. */
const holdModes = ({undo, onContinue}: ModesOptions): ((isTidy: boolean) => void) => {
  const saved = stty.readModes();
  let isHeld = true;
  const giveBack = (isTidy: boolean): void => {
    if (!isHeld) return;
    isHeld = false;
    process.off('exit', onExit).off('SIGTSTP', onStop).off('SIGCONT', onContinued);
    // Written at once, since terminals are, and as the process's last act if need be.
    if (!isTidy && process.env.TERM !== 'dumb')
      (process.stdout.isTTY ? process.stdout : process.stderr).write(undo());
    attempt(() => stty.setModes(saved));
  };
  const onExit = (): void => giveBack(false);
  const onStop = (): void => {
    attempt(() => stty.setModes(saved));
    process.kill(process.pid, 'SIGSTOP');
  };
  const onContinued = (): void => {
    attempt(stty.setRaw); // whoever had the terminal meanwhile has set modes of its own
    onContinue();
  };
  process.on('exit', onExit).on('SIGTSTP', onStop).on('SIGCONT', onContinued);
  try {
    stty.setRaw();
  } catch (error) {
    giveBack(true);
    throw error;
  }
  return giveBack;
};

/** A terminal that has gone, or is stuck, must keep nobody from ending; Node's own attempt, its last act, is the next best. */
const attempt = (change: () => void): void => {
  try {
    change();
  } catch {
    // as above
  }
};

interface Keys extends Pick<HeldTerminal, 'typed' | 'left'> {
  readonly end: () => void;
}

const readKeys = (): Keys => {
  const {stdin} = process;
  const scan = createDetachScanner();
  const typed = new Readable({read: () => void stdin.resume()});
  let leave: (how: 'detached' | 'gone') => void = () => {};
  const left = new Promise<'detached' | 'gone'>((resolve) => {
    leave = resolve;
  });
  const onData = (chunk: Buffer): void => {
    const {typed: bytes, isDetached} = scan(chunk);
    if (bytes.length > 0 && !typed.push(bytes)) stdin.pause();
    if (!isDetached) return;
    end();
    leave('detached');
  };
  const onGone = (): void => leave('gone');
  const end = (): void => {
    stdin.off('data', onData).pause();
  };
  // The last two stay: a terminal that goes later must not end the process without a word.
  stdin.on('data', onData).on('end', onGone).on('error', onGone);
  return {typed, left, end};
};

interface Resizing extends Pick<HeldTerminal, 'onResize'> {
  readonly check: () => void;
  readonly end: () => void;
}

const watchSize = (): Resizing => {
  const listeners: ((size: WindowSize) => void)[] = [];
  let last = measureOurs();
  const check = (): void => {
    const now = measureOurs();
    if (isSameSize(now, last)) return;
    last = now;
    for (const listener of listeners) listener(now);
  };
  process.on('SIGWINCH', check);
  return {
    check,
    onResize: (listener) => {
      listeners.push(listener);
    },
    end: () => process.off('SIGWINCH', check),
  };
};
