// @ts-check
import {stderr} from 'node:process';

const LINE_EVERY_MS = 15_000;
const REDRAW_EVERY_MS = 200;

/**
 * Where preparation tells what it does. On a terminal the present step is one line that is drawn again; elsewhere it is
 * a line at its start, one at its end, and one now and then in between.
 * @param {{isTTY?: boolean | undefined, columns?: number | undefined, write: (text: string) => unknown}} stream
 * @param {NodeJS.ProcessEnv} env
 */
export const createScreen = (stream = stderr, env = process.env) => {
  const live = stream.isTTY === true && env.TERM !== 'dumb';
  const colour = live && !env.NO_COLOR;
  /** @param {string} code @param {string} text */
  const paint = (code, text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  /** @param {string} text */
  const line = (text) => stream.write(`${text}\n`);

  /** @param {string} title */
  const begin = (title) => {
    const startedAt = Date.now();
    let detail = '';
    if (!live) line(`• ${title}`);
    const draw = () => {
      if (live) stream.write(`\r\u001b[K${oneLine(title, startedAt, detail, stream.columns || 80)}`);
      else line(`  … ${seconds(startedAt)}${detail === '' ? '' : `: ${detail}`}`);
    };
    const timer = setInterval(draw, live ? REDRAW_EVERY_MS : LINE_EVERY_MS);
    timer.unref();
    /** @param {string} text */
    const end = (text) => {
      clearInterval(timer);
      line(`${live ? '\r\u001b[K' : ''}${text}`);
    };
    return {
      /** @param {string} text */
      detail: (text) => {
        detail = text;
      },
      done: () => end(`${paint('32', '✔')} ${title} (${seconds(startedAt)})`),
      failed: () => end(`${paint('31', '✖')} ${title} (${seconds(startedAt)})`),
    };
  };

  return {line, begin, paint};
};

/** @typedef {ReturnType<typeof createScreen>} Screen */

/** @param {number} since */
const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

/**
 * @param {string} title
 * @param {number} startedAt
 * @param {string} detail
 * @param {number} width
 */
const oneLine = (title, startedAt, detail, width) =>
  `• ${title} (${seconds(startedAt)}) ${detail}`.slice(0, width - 1);
