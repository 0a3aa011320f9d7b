// @ts-check
/** One run of the bench, from an empty state directory to everything that was measured. */
import {setTimeout as sleep} from 'node:timers/promises';
import {prepareBareQemu} from './bare-qemu.mjs';
import {measureBurst} from './burst.mjs';
import {createVm, measureDensity} from './density.mjs';
import {COLD, WARM} from './ground.mjs';
import {createBoots} from './machine-boots.mjs';
import {openClient} from './open-client.mjs';
import {makeRecords} from './records.mjs';
import {execTrue, listSteps, warmIdsOf} from './steps.mjs';

const WARM_DEADLINE_MS = 300_000;
const ROUNDS_PER_BURST = 10;

/**
 * @typedef {object} Plan
 * @property {number} runs
 * @property {number} minutes after which no further round begins
 * @property {readonly import('./languages.mjs').BenchLanguage[]} languages
 * @property {boolean} warmUp one round before the others, which does not count
 * @property {number} burstSize
 * @property {number} execsPerRound
 * @property {number} densityCount
 * @property {number} settleMs
 */
/** @typedef {{what: string, why: string}} LeftOut */

/**
 * @param {import('./ground.mjs').Ground} ground
 * @param {{plan: Plan, samples: import('./samples.mjs').Samples, say: (text: string) => void}} options
 */
export const collect = async (ground, {plan, samples, say}) => {
  const {signal} = ground;
  const deadline = performance.now() + plan.minutes * 60_000;
  /** @type {Map<string, LeftOut>} */
  const leftOut = new Map();
  /** @param {string} what @param {string} why */
  const leaveOut = (what, why) => void leftOut.set(what, {what, why});
  const boots = createBoots(ground);
  say('templates');
  const {warm, missing} = await makeTemplates(ground, {boots, languages: plan.languages});
  const {runOnce, ...machine} = await prepareBareQemu(ground);
  const lists = {'list-10': await makeRecords(ground, 10), 'list-1000': await makeRecords(ground, 1000)};
  /** @type {import('./steps.mjs').Phases} */
  const phases = {cold: [], warm: []};
  const [up, down] = [await createVm(ground), await createVm(ground)];
  await ground.agent(execTrue(up), {env: warm.includes('python') ? WARM : COLD, leavesProcesses: true});
  await sleep(plan.settleMs, undefined, {signal});
  const client = await openClient(ground, up);
  const vms = {up, down, guest: client.guest};
  const {languages, execsPerRound} = plan;
  const steps = listSteps({
    ...{ground, languages, warm, boots, bareQemu: runOnce, lists, vms, execsPerRound, phases, leaveOut},
  });
  const round = async (/** @type {number} */ number) => {
    // Each measure comes after another one every time.
    for (const {ids, run} of rotated(steps, number)) await samples.attempt(ids, run, signal);
  };
  if (plan.warmUp) {
    say('a round that does not count');
    await round(0);
    samples.clear();
    phases.cold.length = 0;
    phases.warm.length = 0;
  }
  for (const {language, error} of missing) samples.fail(warmIdsOf(language), error);
  const burst = async () => await measureBurst(ground, {samples, size: plan.burstSize, signal});
  let rounds = 0;
  while (rounds < plan.runs && (rounds === 0 || performance.now() < deadline)) {
    rounds += 1;
    say(`round ${rounds} of ${plan.runs}`);
    await round(rounds);
    const isTime = rounds % ROUNDS_PER_BURST === 0 || (rounds === plan.runs && rounds < ROUNDS_PER_BURST);
    if (isTime && warm.includes('python')) await burst();
  }
  if (rounds < plan.runs)
    leaveOut(`${plan.runs - rounds} of ${plan.runs} rounds`, `${plan.minutes} minutes were over`);
  client.close();
  await ground.agent(['vm', 'clean', '--vm', up, '--vm', down]);
  const density = await measureDensities(ground, {
    plan,
    samples,
    say,
    isWarm: warm.includes('python'),
    leaveOut,
  });
  return {machine, phases, density, rounds, leftOut: [...leftOut.values()]};
};

/** @typedef {Awaited<ReturnType<typeof collect>>} Collected */

/**
 * Those languages whose template is there, as the launcher itself says, and why the others have none.
 * @param {import('./ground.mjs').Ground} ground
 * @param {{boots: ReturnType<typeof createBoots>, languages: Plan['languages']}} options
 */
const makeTemplates = async (ground, {boots, languages}) => {
  /** @type {import('./languages.mjs').BenchLanguage[]} */
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

/** @template T @param {readonly T[]} all @param {number} by */
const rotated = (all, by) => {
  const from = all.length === 0 ? 0 : by % all.length;
  return [...all.slice(from), ...all.slice(0, from)];
};

/**
 * @param {import('./ground.mjs').Ground} ground
 * @param {{
 *   plan: Plan,
 *   samples: import('./samples.mjs').Samples,
 *   say: (text: string) => void,
 *   isWarm: boolean,
 *   leaveOut: (what: string, why: string) => void,
 * }} options
 */
const measureDensities = async (ground, {plan, samples, say, isWarm, leaveOut}) => {
  if (process.platform !== 'linux') {
    leaveOut('memory', 'only Linux tells what share of it a process has');
    return {cold: undefined, warm: undefined};
  }
  const {densityCount: count, settleMs, runs} = plan;
  /** @param {number} up */
  const list = async (up) => {
    for (let run = 0; run < runs && up > 0; run += 1) {
      await samples.attempt(['list-up', 'list-up-cpu'], async () => {
        const {exitMs, cpuMs} = await ground.agent(['vm', 'list']);
        return {'list-up': exitMs, 'list-up-cpu': cpuMs};
      });
    }
  };
  say('memory of idle VMs, cold');
  const cold = await measureDensity(ground, {kind: 'cold', count, settleMs, samples, whileUp: list});
  if (!isWarm) return {cold, warm: undefined};
  say('memory of idle VMs, from a template');
  const warm = await measureDensity(ground, {
    kind: 'warm',
    count,
    settleMs,
    samples,
    whileUp: async () => {},
  });
  return {cold, warm};
};
