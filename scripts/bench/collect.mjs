// @ts-check
/** One run of the bench, from an empty state directory to everything that was measured. */
import {setTimeout as sleep} from 'node:timers/promises';
import {prepareBareQemu} from './bare-qemu.mjs';
import {measureBurst} from './burst.mjs';
import {measureDensities} from './density.mjs';
import {WARM} from './ground.mjs';
import {createBoots} from './machine-boots.mjs';
import {phasesOf} from './measure.mjs';
import {makeRecords} from './records.mjs';
import {startVms} from './running-vms.mjs';
import {shuffled} from './shuffle.mjs';
import {listSteps, warmIdsOf} from './steps.mjs';

const WARM_DEADLINE_MS = 300_000;
const ROUNDS_PER_BURST = 10;

/**
 * @typedef {object} Plan
 * @property {number} runs
 * @property {number} minutes after which no further round begins
 * @property {readonly BenchLanguage[]} languages
 * @property {boolean} warmUp one round before the others, which does not count
 * @property {number} burstSize
 * @property {number} execsPerRound
 * @property {number} densityCount
 * @property {number} settleMs
 */
/** @typedef {import('./languages.mjs').BenchLanguage} BenchLanguage */
/** @typedef {import('./ground.mjs').Ground} Ground */
/** @typedef {ReturnType<typeof createBoots>} Boots */
/** @typedef {{what: string, why: string}} LeftOut */

/**
 * @typedef {object} Bench
 * @property {Plan} plan
 * @property {import('./samples.mjs').Samples} samples
 * @property {(text: string) => void} say
 */

/**
 * @param {Ground} ground
 * @param {Bench} bench
 */
export const collect = async (ground, bench) => {
  const {plan, samples, say} = bench;
  const {languages, execsPerRound} = plan;
  const leftOut = createLeftOut();
  const phases = createPhases();
  const boots = createBoots(ground);
  say('templates');
  const {warm, missing} = await makeTemplates(ground, {boots, languages});
  const {runOnce, ...machine} = await prepareBareQemu(ground);
  const lists = {'list-10': await makeRecords(ground, 10), 'list-1000': await makeRecords(ground, 1000)};
  const vms = await startVms(ground, {languages, warm});
  await sleep(plan.settleMs, undefined, {signal: ground.signal});
  const steps = listSteps({
    ...{ground, languages, warm, boots, bareQemu: runOnce, lists, vms, execsPerRound},
    ...{keepPhases: phases.keep, leaveOut: leftOut.add},
  });
  if (plan.warmUp) {
    say('a round that does not count');
    await runRound({ground, steps, samples, number: 0});
    samples.clear();
    phases.clear();
  }
  for (const {language, error} of missing) samples.fail(warmIdsOf(language), error);
  const isWarm = warm.includes('python');
  const rounds = await runRounds(ground, {...bench, steps, isWarm});
  if (rounds < plan.runs) leftOut.add(`${plan.runs - rounds} of ${plan.runs} rounds`, 'the time was over');
  await vms.end();
  const density = await measureDensities(ground, {...bench, isWarm, leaveOut: leftOut.add});
  await requireTemplates(warm, {boots, samples});
  return {machine, phases: phases.all(), density, rounds, leftOut: leftOut.all()};
};

const createLeftOut = () => {
  /** @type {Map<string, LeftOut>} */
  const leftOut = new Map();
  return {
    /** @param {string} what @param {string} why */
    add: (what, why) => {
      leftOut.set(what, {what, why});
    },
    all: () => [...leftOut.values()],
  };
};

/** The phases that commands have told, by measure. */
const createPhases = () => {
  /** @type {Map<string, Record<string, number>[]>} */
  const phases = new Map();
  return {
    /** @param {string} id @param {string} log of the command */
    keep: (id, log) => {
      phases.set(id, [...(phases.get(id) ?? []), phasesOf(log)]);
    },
    clear: () => phases.clear(),
    all: () => Object.fromEntries(phases),
  };
};

/**
 * Those languages whose template is there, as the launcher itself says, and why the others have none.
 * @param {Ground} ground
 * @param {{boots: Boots, languages: Plan['languages']}} options
 */
const makeTemplates = async (ground, {boots, languages}) => {
  /** @type {BenchLanguage[]} */
  const warm = [];
  const missing = [];
  for (const language of languages) {
    try {
      await ground.agent(['image', 'warm', language], {env: WARM, deadlineMs: WARM_DEADLINE_MS});
      if (!(await boots.hasTemplate(language))) throw new Error('the command succeeded and there is none');
      warm.push(language);
    } catch (error) {
      ground.signal.throwIfAborted();
      missing.push({language, error});
    }
  }
  return {warm, missing};
};

/**
 * A template that does not do is thrown away, and a boot takes its place: then the figures were partly of boots.
 * @param {readonly BenchLanguage[]} warm
 * @param {{boots: Boots, samples: Bench['samples']}} options
 */
const requireTemplates = async (warm, {boots, samples}) => {
  for (const language of warm) {
    if (await boots.hasTemplate(language)) continue;
    samples.fail(warmIdsOf(language), new Error('the template was thrown away while it was measured'));
  }
};

/**
 * @param {Ground} ground
 * @param {Bench & {steps: readonly import('./steps.mjs').Step[], isWarm: boolean}} options
 * @returns {Promise<number>} how many rounds there was time for
 */
const runRounds = async (ground, {plan, samples, say, steps, isWarm}) => {
  const deadline = performance.now() + plan.minutes * 60_000;
  let rounds = 0;
  while (rounds < plan.runs && (rounds === 0 || performance.now() < deadline)) {
    rounds += 1;
    say(`round ${rounds} of ${plan.runs}`);
    await runRound({ground, steps, samples, number: rounds});
    const isTime = rounds % ROUNDS_PER_BURST === 0 || (rounds === plan.runs && rounds < ROUNDS_PER_BURST);
    if (isTime && isWarm) await measureBurst(ground, {samples, size: plan.burstSize});
  }
  return rounds;
};

/**
 * @param {{
 *   ground: Ground,
 *   steps: readonly import('./steps.mjs').Step[],
 *   samples: Bench['samples'],
 *   number: number,
 * }} options
 */
const runRound = async ({ground, steps, samples, number}) => {
  for (const {ids, run} of shuffled(steps, number)) await samples.attempt(ids, run, ground.signal);
};
