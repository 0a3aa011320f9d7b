import type {Progress} from '../model/progress.js';
import type {LogEvent} from './log-event.js';
import {chalkFor, type OutputStream} from './logger.js';
import {printable} from './printable.js';

export interface LiveProgress extends Progress {
  /** Takes the line away; to be called before anything else is written to the terminal. */
  readonly clear: () => void;
}

const SHOW_AFTER_MS = 400;
const FRAME_MS = 120;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** One line of a terminal that tells what takes so long; nothing for steps that are quick. */
export const terminalProgress = (stream: OutputStream & {readonly columns?: number}): LiveProgress => {
  const chalk = chalkFor(stream);
  let text = '';
  let detail = '';
  let since = 0;
  let drawn = false;
  let timer: NodeJS.Timeout | undefined;
  const draw = (): void => {
    const elapsed = Date.now() - since;
    if (elapsed < SHOW_AFTER_MS) return;
    const frame = FRAMES[Math.floor(elapsed / FRAME_MS) % FRAMES.length] ?? '';
    const line = `${text}${detail ? `: ${detail}` : ''} (${Math.round(elapsed / 1000)} s)`;
    stream.write(`\r\u001b[2K${chalk.cyan(frame)} ${printable(line).slice(0, (stream.columns || 80) - 3)}`);
    drawn = true;
  };
  const clear = (): void => {
    if (timer) clearInterval(timer);
    timer = undefined;
    if (drawn) stream.write('\r\u001b[2K');
    drawn = false;
  };
  return {
    clear,
    step: (next) => {
      clear();
      [text, detail, since] = [next, '', Date.now()];
      timer = setInterval(draw, FRAME_MS).unref();
    },
    detail: (next) => {
      detail = next;
    },
  };
};

const DETAIL_EVERY_MS = 5_000;

/** A line for each step, and now and then one for its details: for logs that people read. */
export const lineProgress = (stream: OutputStream): LiveProgress => {
  let spokenAt = 0;
  const say = (text: string): void => {
    spokenAt = Date.now();
    stream.write(`${printable(text)}\n`);
  };
  return {
    clear: () => {},
    step: say,
    detail: (text) => {
      if (Date.now() - spokenAt >= DETAIL_EVERY_MS) say(`  ${text}`);
    },
  };
};

/** Steps as log lines: details only for those who ask for them, with --log-level debug. */
export const eventProgress = (tell: (event: LogEvent) => void): LiveProgress => ({
  clear: () => {},
  step: (text) => tell({level: 'debug', message: 'progress', fields: {step: text}}),
  detail: (text) => tell({level: 'debug', message: 'progress', fields: {detail: text}}),
});
