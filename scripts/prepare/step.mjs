// @ts-check
import {spawn} from 'node:child_process';

const KEPT_LINES = 30;
const KILL_AFTER_MS = 10_000;

/** A failure that the user has been told about in full: ends the program without a stack trace. */
export class StepError extends Error {
  /**
   * @param {string} message
   * @param {{lines?: readonly string[], mend?: string, exitCode?: number}} [options]
   */
  constructor(message, {lines = [], mend, exitCode = 1} = {}) {
    super(message);
    this.lines = lines;
    this.mend = mend;
    this.exitCode = exitCode;
  }
}

/**
 * Runs one program to its end. With a screen its output becomes the sign of life of one step, and is shown whole only
 * when it fails; without one it goes straight to the terminal. `quietWhenSilent` shows the step only once the program
 * says something: silence means that there was nothing to do.
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
  const child = spawn(file, args, {cwd, env, stdio: screen ? ['ignore', 'pipe', 'pipe'] : 'inherit'});
  const keep = eachLine((text) => {
    view ??= screen?.begin(title);
    view?.detail(text);
    lines.push(text);
    if (lines.length > KEPT_LINES) lines.shift();
  });
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const ending = await endOf(child, file);
  if (ending.code === 0) {
    view?.done();
    return;
  }
  view?.failed();
  if (ending.interrupted) throw new StepError(`${title}: interrupted`, {exitCode: ending.interrupted});
  throw new StepError(`${title} failed: ${ending.how}`, {lines, mend});
};

/**
 * Waits for a child and passes on the signals that end us meanwhile, so that nothing is left running.
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} file
 * @returns {Promise<{code: number | null, how: string, interrupted?: number}>}
 */
export const endOf = (child, file) =>
  new Promise((resolve) => {
    /** @type {number | undefined} */
    let interrupted;
    /** @type {NodeJS.Timeout | undefined} */
    let killer;
    /** @param {NodeJS.Signals} signal */
    const passOn = (signal) => {
      interrupted = signal === 'SIGINT' ? 130 : 143;
      // At a terminal, Ctrl-C has reached the child already, as it has us.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
      killer ??= setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref();
    };
    process.on('SIGINT', passOn).on('SIGTERM', passOn);
    /** @param {number | null} code @param {string} how */
    const finish = (code, how) => {
      clearTimeout(killer);
      process.off('SIGINT', passOn).off('SIGTERM', passOn);
      resolve({code: interrupted ?? code, how, ...(interrupted === undefined ? {} : {interrupted})});
    };
    child.once('error', (error) => finish(null, `cannot start ${file}: ${error.message}`));
    child.once('close', (code, signal) =>
      finish(code, signal ? `${file} was ended by ${signal}` : `${file} exited with ${code}`),
    );
  });

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
    if (error.exitCode < 128) {
      for (const line of error.lines) console.error(`  | ${line}`);
      console.error(`error: ${error.message}`);
      if (error.mend) console.error(`  → ${error.mend}`);
    }
    process.exitCode = error.exitCode;
  }
};
