// @ts-check
import {spawn} from 'node:child_process';

/**
 * One run of a program: milliseconds from just before it starts to its first byte of output and to its end. Throws
 * where it fails, since the time of a failure measures nothing.
 * @param {{file: string, args: readonly string[], cwd: string, env?: NodeJS.ProcessEnv}} command
 * @returns {Promise<{firstByteMs: number | undefined, exitMs: number, stdout: string}>}
 */
export const measure = ({file, args, cwd, env = process.env}) =>
  new Promise((resolve, reject) => {
    const startedAt = performance.now();
    /** @type {number | undefined} */
    let firstByteMs;
    /** @type {Buffer[]} */
    const output = [];
    /** @type {Buffer[]} */
    const errors = [];
    const child = spawn(file, args, {cwd, env, stdio: ['ignore', 'pipe', 'pipe']});
    child.stdout.on('data', (chunk) => {
      firstByteMs ??= performance.now() - startedAt;
      output.push(chunk);
    });
    child.stderr.on('data', (chunk) => errors.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      const exitMs = performance.now() - startedAt;
      if (code === 0) resolve({firstByteMs, exitMs, stdout: Buffer.concat(output).toString('utf8')});
      else reject(new Error(`${args.join(' ')} exited with ${code}\n${Buffer.concat(errors)}`));
    });
  });

/**
 * The phases that `vm temp --json` reports, in milliseconds.
 * @param {string} stdout
 * @returns {Record<string, number>}
 */
export const phasesOf = (stdout) => {
  for (const line of stdout.trim().split('\n').reverse()) {
    const {phases} = JSON.parse(line);
    if (phases !== undefined) return phases;
  }
  throw new Error(`no phases in: ${stdout}`);
};
