// @ts-check
/** The VMs that stay up while the rounds are measured, and open clients of them. */
import {COLD, WARM} from './ground.mjs';
import {SIZE} from './machine-boots.mjs';
import {openClient} from './open-client.mjs';

/** @typedef {import('./ground.mjs').Ground} Ground */
/** @typedef {import('./languages.mjs').BenchLanguage} BenchLanguage */

/** @param {string} vm */
export const execTrue = (vm) => ['vm', 'exec', '--vm', vm, '--cmd', 'true'];

/**
 * @param {Ground} ground
 * @param {BenchLanguage} language
 * @returns {Promise<string>} its id
 */
const createVm = async (ground, language) => {
  const flags = ['--language', language, '--mem', String(SIZE.memoryMib), '--log-format', 'json'];
  const {stdout} = await ground.agent(['vm', 'create', ...flags]);
  return JSON.parse(stdout).id;
};

/**
 * Makes a VM and brings it up; it has run `true`, and nothing since.
 * @param {Ground} ground
 * @param {{language: BenchLanguage, isWarm: boolean}} options
 * @returns {Promise<string>} its id
 */
export const startVm = async (ground, {language, isWarm}) => {
  const vm = await createVm(ground, language);
  await ground.agent(execTrue(vm), {env: isWarm ? WARM : COLD, leavesProcesses: true});
  return vm;
};

/**
 * One VM of each language with a client, and one that is for others to start and stop.
 * @param {Ground} ground
 * @param {{languages: readonly BenchLanguage[], warm: readonly BenchLanguage[]}} options
 */
export const startVms = async (ground, {languages, warm}) => {
  /** @type {Partial<Record<BenchLanguage, string>>} */
  const vms = {};
  /** @type {Partial<Record<BenchLanguage, import('../../src/guest/guest.js').Guest>>} */
  const guests = {};
  /** @type {(() => void)[]} */
  const closers = [];
  for (const language of languages) {
    const vm = await startVm(ground, {language, isWarm: warm.includes(language)});
    const {guest, close} = await openClient(ground, vm);
    vms[language] = vm;
    guests[language] = guest;
    closers.push(close);
  }
  const down = await createVm(ground, 'python');
  return {
    up: vms.python ?? down,
    down,
    guests,
    end: async () => {
      for (const close of closers) close();
      const all = [...Object.values(vms), down];
      await ground.agent(['vm', 'clean', ...all.flatMap((vm) => ['--vm', vm])]);
    },
  };
};
