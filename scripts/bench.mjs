// @ts-check
/**
 * `npm run bench`: what a person waits for, and what it costs, each beside a baseline of the same run. All measures take
 * turns within each round, so that a noisy neighbour disturbs them alike.
 */
import {readFileSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {collect} from './bench/collect.mjs';
import {compareRuns, regressionsOf} from './bench/compare.mjs';
import {makeGround} from './bench/ground.mjs';
import {keepRun} from './bench/keep.mjs';
import {LANGUAGES} from './bench/languages.mjs';
import {describeMachine, loadNow} from './bench/machine.mjs';
import {readOptions} from './bench/options.mjs';
import {parseResults, toResults} from './bench/results.mjs';
import {createSamples} from './bench/samples.mjs';
import {comparisonTable, describeRun} from './bench/tables.mjs';
import {judgeTargets} from './bench/targets.mjs';
import {prepare} from './prepare/prepare.mjs';
import {runMain, StepError} from './prepare/step.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** @typedef {NonNullable<ReturnType<typeof readOptions>>} Options */

/** @param {Options} options @returns {import('./bench/collect.mjs').Plan} */
const planFor = ({runs, minutes, quick}) =>
  quick
    ? {
        ...{runs, minutes, languages: ['python'], warmUp: false},
        ...{burstSize: 2, execsPerRound: 3, densityCount: 1, settleMs: 1_000},
      }
    : {
        ...{runs, minutes, languages: LANGUAGES, warmUp: true},
        ...{burstSize: 10, execsPerRound: 20, densityCount: 10, settleMs: 8_000},
      };

/** @param {string} text */
const say = (text) => process.stderr.write(`• ${text}\n`);

/** What could not be removed afterwards. @type {string[]} */
const leftBehind = [];

/** @param {Options} options @param {AbortSignal} signal */
const runBench = async (options, signal) => {
  const plan = planFor(options);
  await prepare({root, languages: plan.languages});
  const ground = await makeGround({root, signal});
  try {
    const load = {start: loadNow(), end: 0};
    const samples = createSamples({
      onFailure: (ids, reason) => say(`failed: ${ids.join(', ')}: ${reason}`),
      clean: ground.clean,
    });
    const {machine, rounds, ...measured} = await collect(ground, {plan, samples, say});
    return toResults({
      ...measured,
      version: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version,
      time: new Date().toISOString(),
      machine: describeMachine(machine),
      load: {...load, end: loadNow()},
      plan: {runs: plan.runs, burst: plan.burstSize, rounds},
      samples: samples.all(),
    });
  } finally {
    // What was measured is worth more than a clean end.
    await ground.remove().catch((error) => leftBehind.push(error instanceof Error ? error.message : error));
  }
};

/** @param {Options} options */
const measureOrRead = async (options) => {
  if (options.from !== undefined) return read(options.from);
  const interruption = new AbortController();
  const interrupt = (/** @type {string} */ name) =>
    interruption.abort(new StepError('interrupted', {exitCode: name === 'SIGINT' ? 130 : 143}));
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    return await runBench(options, interruption.signal);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
};

/** @param {string} file */
const read = (file) => {
  try {
    return parseResults(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new StepError(`${file}: ${error instanceof Error ? error.message : error}`);
  }
};

/**
 * Prints how this run differs from an older one.
 * @param {import('./bench/results.mjs').Results} results
 * @param {{older: import('./bench/results.mjs').Results | undefined, threshold: number}} options
 * @returns {boolean} whether nothing got worse
 */
const compareWith = (results, {older, threshold}) => {
  if (older === undefined) return true;
  if (older.machine.accelerator !== results.machine.accelerator) {
    say(`compared with a run under ${older.machine.accelerator}: their ratios are not alike`);
  }
  const comparisons = compareRuns(older, results, {threshold});
  console.log(`\n${comparisonTable(comparisons)}`);
  const regressions = regressionsOf(comparisons);
  if (regressions.length === 0) return true;
  say(`worse by more than ${threshold} ×, failing or gone: ${regressions.map(({id}) => id).join(', ')}`);
  return false;
};

/** @param {string} what @param {readonly string[]} all @returns {boolean} whether there is none */
const sayIfAny = (what, all) => {
  if (all.length > 0) say(`${what}: ${all.join('; ')}`);
  return all.length === 0;
};

await runMain(async () => {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) return 0;
  // Now: this run may take its place.
  const older = options.compare === undefined ? undefined : read(options.compare);
  const results = await measureOrRead(options);
  const tables = describeRun(results, judgeTargets(results));
  console.log(tables);
  if (options.out !== undefined) {
    for (const file of keepRun(options.out, {results, tables})) say(`wrote ${file}`);
  }
  const never = results.measures.filter(({spread}) => spread === null).map(({id}) => id);
  const isFine = [
    compareWith(results, {older, threshold: options.threshold}),
    sayIfAny('never succeeded', never),
    sayIfAny('could not clean up', leftBehind),
  ];
  return isFine.every(Boolean) ? 0 : 1;
});
