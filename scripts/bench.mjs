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
    await ground.remove();
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

await runMain(async () => {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) return 0;
  const older = options.compare === undefined ? undefined : read(options.compare);
  const results = await measureOrRead(options);
  const tables = describeRun(results, judgeTargets(results));
  console.log(tables);
  if (options.out !== undefined) {
    for (const file of keepRun(options.out, {results, tables})) say(`wrote ${file}`);
  }
  const comparisons = older ? compareRuns(older, results, options) : [];
  if (older) console.log(`\n${comparisonTable(comparisons)}`);
  const regressions = regressionsOf(comparisons);
  if (regressions.length > 0)
    say(`worse by more than ${options.threshold} ×: ${regressions.map(({id}) => id).join(', ')}`);
  const never = results.measures.filter(({spread}) => spread === null);
  if (never.length > 0) say(`never succeeded: ${never.map(({id}) => id).join(', ')}`);
  return regressions.length > 0 || never.length > 0 ? 1 : 0;
});
