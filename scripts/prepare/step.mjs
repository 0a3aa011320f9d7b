// @ts-check
import {runChild} from './child.mjs';

const KEPT_LINES = 30;
/** One picture of agent's own progress line: of use as a sign of life, noise in an error. */
const PROGRESS_FRAME = /^[\u2800-\u28ff] (.*?)(?: \(\d+[ s)]*)?$/;

/** A failure that the user has been told about in full: ends the program without a stack trace. */
export class StepError extends Error {
  /**
   * @param {string} message
   * @param {{lines?: readonly string[], mend?: string, exitCode?: number, told?: boolean}} [options] `lines`: the last
   *   words of the program that failed; `told`: it has explained itself at the terminal
   */
  constructor(message, {lines = [], mend, exitCode = 1, told = false} = {}) {
    super(message);
    this.told = told;
    this.lines = lines;
    this.mend = mend;
    this.exitCode = exitCode;
  }
}

/**
 * Runs one program to its end. With a screen its output becomes the sign of life of one step, and is shown whole only
 * when it fails; without one it goes straight to the terminal. `quietWhenSilent` shows the step only once the program
 * reports progress on standard error: silence there means that there was nothing to do.
 * @param {{
 *   title: string,
 *   file: string,
 *   args: readonly string[],
 *   cwd: string,
 *   mend: string,
 *   screen?: import('./screen.mjs').Screen,
 *   quietWhenSilent?: boolean,
 *   env?: NodeJS.ProcessEnv,
 * }} step
 */
export const runStep = async ({
  title,
  file,
  args,
  cwd,
  mend,
  screen,
  quietWhenSilent = false,
  env = process.env,
}) => {
  let view = quietWhenSilent ? undefined : screen?.begin(title);
  /** @type {string[]} */
  const lines = [];
  const onOutput = eachLine((text) => {
    view ??= screen?.begin(title);
    const frame = PROGRESS_FRAME.exec(text);
    view?.detail(frame?.[1] ?? text);
    if (frame) return;
    lines.push(text);
    if (lines.length > KEPT_LINES) lines.shift();
  });
  /** @type {import('node:child_process').StdioOptions} */
  const stdio = screen ? ['ignore', quietWhenSilent ? 'ignore' : 'pipe', 'pipe'] : 'inherit';
  const {code, how, interrupted} = await runChild(file, args, {cwd, env, stdio, onOutput});
  if (code === 0 && interrupted === undefined) {
    view?.done();
    return;
  }
  view?.failed();
  if (interrupted) throw new StepError(`${title}: interrupted`, {exitCode: interrupted});
  // Without a code it never ran, and has explained nothing.
  throw new StepError(`${title} failed: ${how}`, {lines, mend, told: screen === undefined && code !== null});
};

/** @param {(line: string) => void} onLine */
const eachLine = (onLine) => {
  let rest = '';
  /** @param {Buffer} chunk */
  return (chunk) => {
    const lines = `${rest}${chunk.toString('utf8')}`.split(/\r\n|\r|\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') onLine(printable(line));
  };
};

/** @param {string} text */
const printable = (text) =>
  text.replace(/\u001b\[[0-9;]*[A-Za-z]/g, '').replace(/[\u0000-\u001f\u007f]/g, ' ');

/**
 * Runs a whole program: a StepError ends it with its words and its exit code.
 * @param {() => Promise<number | undefined>} main
 */
export const runMain = async (main) => {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    // Who interrupted us knows it already.
    if (error.exitCode < 128 && !error.told) console.error(explain(error).join('\n'));
    process.exitCode = error.exitCode;
  }
};

/**
 * One error: the program's own where it has one of our form, else ours below its last words.
 * @param {StepError} error
 */
const explain = ({lines, message, mend}) => {
  const own = lines.findLastIndex((line) => line.startsWith('error: '));
  if (own >= 0) return lines.slice(own);
  return [...lines.map((line) => `  | ${line}`), `error: ${message}`, ...(mend ? [`  → ${mend}`] : [])];
};
