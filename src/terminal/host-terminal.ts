/**
 * The terminal that we were started on: raw while a guest has it, and given back on every ending: by `release`, at the
 * process's exit, and before it stops. May import: model, process.
 */
import {Readable} from 'node:stream';
import type {Sink} from '../model/sink.js';
import type {HeldTerminal, Terminal, WindowSize} from '../model/terminal.js';
import {createDetachScanner} from './detach-scanner.js';
import {createScreenState, type ScreenState} from './screen-state.js';
import {type Modes, stty} from './stty.js';
import {isSameSize, measure, type SizedStream} from './window-size.js';

/** What of this process the terminal is reached through. */
export interface TerminalHost {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: SizedStream;
  readonly stderr: SizedStream;
  /** Draws at once, even while the process ends. */
  readonly draw: (text: string) => void;
  readonly modes: Modes;
  readonly on: (event: HostEvent, listener: () => void) => void;
  readonly off: (event: HostEvent, listener: () => void) => void;
  /** Stops this process as SIGTSTP would have. */
  readonly stop: () => void;
}

type HostEvent = 'exit' | 'SIGTSTP' | 'SIGCONT' | 'SIGWINCH';

/** The terminal behind standard input, or null where that is a file or a pipe. */
export const findTerminal = (): Terminal | null =>
  process.stdin.isTTY
    ? createTerminal({
        stdin: process.stdin,
        stdout: process.stdout,
        stderr: process.stderr,
        draw: (text) => (process.stdout.isTTY ? process.stdout : process.stderr).write(text),
        modes: stty,
        on: (event, listener) => process.on(event, listener),
        off: (event, listener) => process.off(event, listener),
        stop: () => process.kill(process.pid, 'SIGSTOP'),
      })
    : null;

export const createTerminal = (host: TerminalHost): Terminal => {
  const size = (): WindowSize => measure([host.stdout, host.stderr], host.modes.size);
  return {size, hold: (screen) => hold(host, size, screen)};
};

const hold = (host: TerminalHost, size: () => WindowSize, sink: Sink): HeldTerminal => {
  const state = createScreenState();
  const keys = readKeys(host.stdin);
  const resizing = watchSize(host, size);
  const giveBack = holdModes(host, state, resizing.check);
  let isReleased = false;
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
      giveBack(isTidy);
    },
  };
};

/** Raw modes; returns what gives the terminal back, once. */
const holdModes = (
  {modes, draw, on, off, stop}: TerminalHost,
  state: ScreenState,
  onContinue: () => void,
): ((isTidy: boolean) => void) => {
  const saved = modes.save();
  let isHeld = true;
  const giveBack = (isTidy: boolean): void => {
    if (!isHeld) return;
    isHeld = false;
    off('exit', onExit);
    off('SIGTSTP', onStop);
    off('SIGCONT', onStarted);
    if (!isTidy) draw(state.undo());
    modes.restore(saved);
  };
  const onExit = (): void => giveBack(false);
  const onStop = (): void => {
    modes.restore(saved);
    stop();
  };
  const onStarted = (): void => {
    modes.setRaw(); // whoever had the terminal meanwhile has set its own
    onContinue();
  };
  on('exit', onExit);
  on('SIGTSTP', onStop);
  on('SIGCONT', onStarted);
  try {
    modes.setRaw();
  } catch (error) {
    giveBack(true);
    throw error;
  }
  return giveBack;
};

interface Keys extends Pick<HeldTerminal, 'typed' | 'left'> {
  readonly end: () => void;
}

const readKeys = (stdin: NodeJS.ReadStream): Keys => {
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
    stdin.off('data', onData);
    stdin.pause();
  };
  stdin.on('data', onData);
  // These stay: a terminal that goes later must not end the process without a word.
  stdin.on('end', onGone);
  stdin.on('error', onGone);
  return {typed, left, end};
};

interface Resizing extends Pick<HeldTerminal, 'onResize'> {
  readonly check: () => void;
  readonly end: () => void;
}

const watchSize = ({on, off}: TerminalHost, size: () => WindowSize): Resizing => {
  const listeners: ((size: WindowSize) => void)[] = [];
  let last = size();
  const check = (): void => {
    const now = size();
    if (isSameSize(now, last)) return;
    last = now;
    for (const listener of listeners) listener(now);
  };
  on('SIGWINCH', check);
  return {
    check,
    onResize: (listener) => {
      listeners.push(listener);
    },
    end: () => off('SIGWINCH', check),
  };
};
