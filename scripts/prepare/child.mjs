// @ts-check
import {spawn} from 'node:child_process';

const KILL_AFTER_MS = 10_000;

/**
 * Runs a program to its end and passes on the signals that end us meanwhile, so that nothing is left running.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions & {onOutput?: (chunk: Buffer) => void}} options
 * @returns {Promise<{code: number | null, how: string, interrupted: number | undefined}>} `interrupted`: the exit code
 *   to end with after a signal
 */
export const runChild = (file, args, {onOutput, ...options}) =>
  new Promise((resolve) => {
    /** @type {import('node:child_process').ChildProcess | undefined} */
    let child;
    /** @type {number | undefined} */
    let interrupted;
    /** @type {NodeJS.Timeout | undefined} */
    let killer;
    /** @param {NodeJS.Signals} signal */
    const passOn = (signal) => {
      interrupted = signal === 'SIGINT' ? 130 : 143;
      // At a terminal, Ctrl-C has reached the child already, as it has us.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child?.kill(signal);
      killer ??= setTimeout(() => child?.kill('SIGKILL'), KILL_AFTER_MS).unref();
    };
    /** @param {number | null} code @param {string} how */
    const finish = (code, how) => {
      clearTimeout(killer);
      process.off('SIGINT', passOn).off('SIGTERM', passOn);
      resolve({code, how, interrupted});
    };
    // Before the child starts: a signal that comes in between must not leave it alone.
    process.on('SIGINT', passOn).on('SIGTERM', passOn);
    child = spawn(file, args, options);
    if (onOutput) {
      child.stdout?.on('data', onOutput);
      child.stderr?.on('data', onOutput);
    }
    child.once('error', (error) => finish(null, `cannot start ${file}: ${error.message}`));
    child.once('close', (code, signal) =>
      finish(code, signal ? `${file} was ended by ${signal}` : `${file} exited with ${code}`),
    );
  });
