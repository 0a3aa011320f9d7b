// @ts-check
/** Damaged frames, payloads and archives for the host's own decoders, and for the monitor's relay. */
import {mkdirSync, renameSync} from 'node:fs';
import {availableParallelism, setPriority} from 'node:os';
import {join} from 'node:path';
import {build} from 'esbuild';
import {runChild} from '../prepare/child.mjs';
import {StepError} from '../prepare/step.mjs';

/** So many in one process. */
const FRAMES_AT_ONCE = 500_000;
/** Each case has the next seed; two processes must have none in common. */
const SEEDS_AT_ONCE = 1_000_000_000;

/** @typedef {import('../../test/guest/fuzz/campaign.ts').Figures} Figures */

/** @param {string} root */
const bundle = async (root) => {
  const folder = join(root, 'node_modules', '.cache', 'host-fuzz');
  const program = join(folder, 'main.mjs');
  const made = `${program}.${process.pid}`;
  mkdirSync(folder, {recursive: true});
  await build({
    entryPoints: [join(root, 'test/guest/fuzz/main.ts')],
    outfile: made,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  });
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
  const {code, how, interrupted} = await runChild(process.execPath, [program, String(frames), String(seed)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    onOutput: (chunk) => {
      output += chunk.toString();
    },
  });
  if (interrupted !== undefined) throw new StepError('Interrupted.', {exitCode: interrupted});
  if (code !== 0)
    throw new StepError(how, {
      lines: output.split('\n').slice(0, 60),
      mend: 'Repeat it: npm run fuzz -- --host --frames 1 --seed N, with the seed above.',
    });
  return JSON.parse(output);
};

/**
 * @param {Figures[]} all
 * @returns {Figures}
 */
const sum = (all) => {
  const total = {cases: 0, frames: 0, damaged: 0, payloads: 0, archives: 0, whole: 0};
  /** @type {Record<string, number>} */
  const endings = {};
  for (const figures of all) {
    for (const name of /** @type {(keyof typeof total)[]} */ (Object.keys(total)))
      total[name] += figures[name];
    for (const [ending, count] of Object.entries(figures.endings))
      endings[ending] = (endings[ending] ?? 0) + count;
  }
  return {...total, endings, peakMib: Math.max(0, ...all.map(({peakMib}) => peakMib))};
};

/**
 * Runs until so many damaged frames were taken; prints what it did.
 * @param {{root: string, frames: number, seed: number}} options
 */
export const fuzzHost = async ({root, frames, seed}) => {
  const program = await bundle(root);
  setPriority(10);
  const started = Date.now();
  /** @type {Figures[]} */
  const done = [];
  const parts = Math.ceil(frames / FRAMES_AT_ONCE);
  let next = 0;
  const work = async () => {
    while (next < parts) {
      const part = next++;
      const wanted = Math.min(FRAMES_AT_ONCE, frames - part * FRAMES_AT_ONCE);
      done.push(await runProgram(program, wanted, seed + part * SEEDS_AT_ONCE));
      process.stderr.write(`${sum(done).damaged} of ${frames} damaged frames\n`);
    }
  };
  await Promise.all(Array.from({length: Math.min(parts, availableParallelism())}, work));
  const total = sum(done);
  const seconds = Math.round((Date.now() - started) / 1000);
  const endings = Object.entries(total.endings).map(([ending, count]) => `${ending} ${count}`);
  console.log(
    `host: ${total.damaged} damaged frames of ${total.frames} in ${total.cases} cases (${endings.sort().join(', ')}), ` +
      `${total.payloads} payloads, ${total.archives} archives, ${total.whole} of them read to their end; ` +
      `${total.peakMib} MiB at most, ${seconds} s, no finding.`,
  );
};
