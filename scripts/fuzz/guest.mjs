// @ts-check
/** Damaged frames and archives for the guest agent's own code, compiled with the sanitizers for this machine. */
import {spawnSync} from 'node:child_process';
import {mkdirSync, renameSync} from 'node:fs';
import {availableParallelism, setPriority} from 'node:os';
import {join} from 'node:path';
import {runChild} from '../prepare/child.mjs';
import {StepError} from '../prepare/step.mjs';

/** So many in one process, which frees little of what it takes. */
const FRAMES_AT_ONCE = 250_000;
/** Each case has the next seed; two processes must have none in common. */
const SEEDS_AT_ONCE = 1_000_000_000;

/** @typedef {{cases: number, frames: number, damaged: number, refused: number, archives: number, whole: number}} Figures */

/** @param {string} root */
const build = (root) => {
  const folder = join(root, 'node_modules', '.cache', 'guest-fuzz');
  const program = join(folder, 'fuzz');
  mkdirSync(folder, {recursive: true});
  const made = `${program}.${process.pid}`;
  const {status} = spawnSync(join(root, 'test/guest-agent/fuzz/build.sh'), [made], {stdio: 'inherit'});
  if (status !== 0)
    throw new StepError('The harness did not build.', {mend: 'It needs Linux and gcc with its sanitizers.'});
  // Another campaign may be running the one before.
  renameSync(made, program);
  return program;
};

/**
 * @param {string} program
 * @param {number} frames
 * @param {number} seed
 * @returns {Promise<Figures>}
 */
const runProgram = async (program, frames, seed) => {
  let output = '';
  const {code, how, interrupted} = await runChild(program, [String(frames), String(seed)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    onOutput: (chunk) => {
      output += chunk.toString();
    },
  });
  if (interrupted !== undefined) throw new StepError('Interrupted.', {exitCode: interrupted});
  if (code !== 0)
    throw new StepError(how, {
      lines: output.split('\n').slice(0, 60),
      mend: 'Repeat it: npm run fuzz -- --guest --frames 1 --seed N, with the seed above.',
    });
  return JSON.parse(output);
};

/**
 * Runs until so many damaged frames were taken; prints what it did.
 * @param {{root: string, frames: number, seed: number}} options
 */
export const fuzzGuest = async ({root, frames, seed}) => {
  const program = build(root);
  setPriority(10);
  const started = Date.now();
  /** @type {Figures} */
  const total = {cases: 0, frames: 0, damaged: 0, refused: 0, archives: 0, whole: 0};
  const parts = Math.ceil(frames / FRAMES_AT_ONCE);
  let next = 0;
  const work = async () => {
    while (next < parts) {
      const part = next++;
      const wanted = Math.min(FRAMES_AT_ONCE, frames - part * FRAMES_AT_ONCE);
      const figures = await runProgram(program, wanted, seed + part * SEEDS_AT_ONCE);
      for (const name of /** @type {(keyof Figures)[]} */ (Object.keys(total))) total[name] += figures[name];
      process.stderr.write(`${total.damaged} of ${frames} damaged frames\n`);
    }
  };
  await Promise.all(Array.from({length: Math.min(parts, availableParallelism())}, work));
  const seconds = Math.round((Date.now() - started) / 1000);
  console.log(
    `guest: ${total.damaged} damaged frames of ${total.frames} in ${total.cases} cases, ${total.refused} of them refused; ` +
      `${total.archives} archives, ${total.whole} of them read to their end; ${seconds} s, no finding.`,
  );
};
