// @ts-check
/** What is measured in every round: each step gives a value for each of its measures. */
import {CATALOG} from './catalog.mjs';
import {COLD, WARM} from './ground.mjs';
import {findInterpreter, PRINTED, WORK} from './languages.mjs';
import {measureExecs, measureWork} from './open-execs.mjs';
import {execTrue} from './running-vms.mjs';

/**
 * @typedef {object} Step
 * @property {readonly string[]} ids of its measures
 * @property {() => Promise<Record<string, number | readonly number[] | undefined>>} run
 */
/** @typedef {import('./languages.mjs').BenchLanguage} BenchLanguage */
/** @typedef {import('./ground.mjs').Ground} Ground */
/** @typedef {import('../../src/guest/guest.js').Guest} Guest */
/** @typedef {'cold' | 'warm'} Kind */

/**
 * @typedef {object} Surroundings
 * @property {Ground} ground
 * @property {readonly BenchLanguage[]} languages
 * @property {readonly BenchLanguage[]} warm those that have a template
 * @property {ReturnType<typeof import('./machine-boots.mjs').createBoots>} boots
 * @property {(() => Promise<number>) | undefined} bareQemu
 * @property {Readonly<Record<'list-10' | 'list-1000', NodeJS.ProcessEnv>>} lists
 * @property {{up: string, down: string, guests: Partial<Record<BenchLanguage, Guest>>}} vms
 * @property {number} execsPerRound
 * @property {(id: string, log: string) => void} keepPhases
 * @property {(what: string, why: string) => void} leaveOut
 */

/** @param {Surroundings} all @returns {Step[]} */
export const listSteps = (all) => [
  ...baselines(all),
  ...commandLine(all),
  ...kindsOf(all, 'python').flatMap((kind) => [ready(all, kind), tempTrue(all, kind), execFirst(all, kind)]),
  ...all.languages.flatMap((language) => kindsOf(all, language).map((kind) => tempWork(all, language, kind))),
  ...runningVm(all),
];

/** What is not measured where a language has no template. @param {BenchLanguage} language */
export const warmIdsOf = (language) => [
  `temp-${language}-warm`,
  ...(language === 'python'
    ? Object.keys(CATALOG).filter(
        (id) => CATALOG[id]?.kind === 'warm' && !/^temp-(python|node|ruby)-warm$/.test(id),
      )
    : []),
];

/** @param {Surroundings} all @param {BenchLanguage} language @returns {Kind[]} */
const kindsOf = ({warm}, language) => (warm.includes(language) ? ['cold', 'warm'] : ['cold']);

/** @param {Kind} kind */
const environmentOf = (kind) => (kind === 'cold' ? COLD : WARM);

/**
 * @param {string} id
 * @param {() => Promise<import('./measure.mjs').Measured>} run
 * @param {string} [cpuId] of its processor time, which is not known everywhere
 * @returns {Step}
 */
const whole = (id, run, cpuId) => ({
  ids: [id, ...(cpuId && process.platform === 'linux' ? [cpuId] : [])],
  run: async () => {
    const {exitMs, cpuMs} = await run();
    return {[id]: exitMs, ...(cpuId ? {[cpuId]: cpuMs} : {})};
  },
});

/** @param {Surroundings} all @returns {Step[]} */
const baselines = ({ground, bareQemu, languages, leaveOut}) => {
  const steps = [
    whole('node', () => ground.run(process.execPath, ['-e', '0']), 'node-cpu'),
    whole('host-sh', () => ground.run('/bin/sh', ['-c', 'true'])),
  ];
  for (const language of languages) {
    const interpreter = findInterpreter(language);
    if (interpreter === undefined)
      leaveOut(`${language} without a VM`, 'it is not installed on this machine');
    else steps.push(whole(`host-${language}`, () => ground.run(interpreter, WORK[language].args)));
  }
  if (bareQemu === undefined) leaveOut('bare QEMU and processor time', 'they are measured on Linux only');
  else steps.push({ids: ['bare-qemu'], run: async () => ({'bare-qemu': await bareQemu()})});
  return steps;
};

/** @param {Surroundings} all @returns {Step[]} */
const commandLine = ({ground, lists}) => [
  whole('version', () => ground.agent(['--version']), 'version-cpu'),
  whole('list-10', () => ground.agent(['vm', 'list'], {env: lists['list-10']}), 'list-10-cpu'),
  whole('list-1000', () => ground.agent(['vm', 'list'], {env: lists['list-1000']}), 'list-1000-cpu'),
];

/** @param {Surroundings} all @param {Kind} kind @returns {Step} */
const ready = ({boots}, kind) => ({
  ids: [`ready-${kind}`],
  run: async () => ({[`ready-${kind}`]: await boots.untilReady('python', {mayRestore: kind === 'warm'})}),
});

/**
 * @param {Ground} ground
 * @param {{language: BenchLanguage, command: string, kind: Kind}} temp
 */
const temp = (ground, {language, command, kind}) =>
  ground.agent(['vm', 'temp', '--language', language, '--cmd', command], {env: environmentOf(kind)});

/** @param {Surroundings} all @param {Kind} kind @returns {Step} */
const tempTrue = ({ground, keepPhases}, kind) =>
  whole(
    `temp-true-${kind}`,
    async () => {
      const measured = await temp(ground, {language: 'python', command: 'true', kind});
      keepPhases(`temp-true-${kind}`, measured.stderr);
      return measured;
    },
    `temp-true-cpu-${kind}`,
  );

/** @param {Surroundings} all @param {BenchLanguage} language @param {Kind} kind @returns {Step} */
const tempWork = ({ground, keepPhases}, language, kind) => {
  const [id, firstId] = [`temp-${language}-${kind}`, `temp-${language}-first-${kind}`];
  const hasFirst = language === 'python';
  return {
    ids: [id, ...(hasFirst ? [firstId] : [])],
    run: async () => {
      const {command} = WORK[language];
      const {exitMs, firstByteMs, stdout, stderr} = await temp(ground, {language, command, kind});
      if (stdout !== PRINTED) throw new Error(`${command} printed ${JSON.stringify(stdout)}`);
      keepPhases(id, stderr);
      return {[id]: exitMs, ...(hasFirst ? {[firstId]: firstByteMs} : {})};
    },
  };
};

/** @param {Surroundings} all @param {Kind} kind @returns {Step} */
const execFirst = ({ground, vms}, kind) =>
  whole(`exec-first-${kind}`, async () => {
    await ground.agent(['vm', 'stop', '--vm', vms.down]);
    const env = environmentOf(kind);
    return await ground.agent(execTrue(vms.down), {env, leavesProcesses: true});
  });

/** @param {Surroundings} all @returns {Step[]} */
const runningVm = ({ground, languages, vms, execsPerRound}) => [
  whole('exec-up', () => ground.agent(execTrue(vms.up)), 'exec-up-cpu'),
  {
    ids: ['exec-open', 'ping-open', 'exec-guest', 'exec-over'],
    run: async () => {
      const execs = await measureExecs(guestOf(vms, 'python'), execsPerRound);
      return {
        'exec-open': execs.map(({exec}) => exec),
        'ping-open': execs.map(({ping}) => ping),
        'exec-guest': execs.map(({inGuest}) => inGuest),
        'exec-over': execs.map(({over}) => over),
      };
    },
  },
  ...languages.map((language) => ({
    ids: [`work-${language}`],
    run: async () => {
      const work = {command: WORK[language].command, output: PRINTED};
      return {[`work-${language}`]: await measureWork(guestOf(vms, language), work)};
    },
  })),
];

/** @param {Surroundings['vms']} vms @param {BenchLanguage} language */
const guestOf = ({guests}, language) => {
  const guest = guests[language];
  if (guest === undefined) throw new Error(`no VM of ${language} is up`);
  return guest;
};
