// @ts-check
import {execFileSync} from 'node:child_process';

export const LANGUAGES = /** @type {const} */ (['python', 'node', 'ruby']);
/** @typedef {typeof LANGUAGES[number]} BenchLanguage */

/**
 * The same small piece of work in each: its interpreter prints a number.
 * @type {Readonly<Record<BenchLanguage, {command: string, program: string, args: readonly string[]}>>}
 */
export const WORK = {
  python: {command: "python3 -c 'print(1)'", program: 'python3', args: ['-c', 'print(1)']},
  node: {command: "node -e 'console.log(1)'", program: 'node', args: ['-e', 'console.log(1)']},
  ruby: {command: "ruby -e 'puts 1'", program: 'ruby', args: ['-e', 'puts 1']},
};

/** What it prints. */
export const PRINTED = '1\n';

const ITSELF = {
  python: ['-c', 'import sys; print(sys.executable)'],
  node: ['-p', 'process.execPath'],
  ruby: ['-e', 'puts RbConfig.ruby'],
};

/**
 * The interpreter of this machine: the program itself, and not what a version manager has put before it.
 * @param {BenchLanguage} language
 * @returns {string | undefined} undefined where there is none
 */
export const findInterpreter = (language) => {
  try {
    const said = execFileSync(WORK[language].program, ITSELF[language], {
      encoding: 'utf8',
      timeout: 20_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return said.trim() || undefined;
  } catch {
    return undefined; // it is not installed
  }
};
