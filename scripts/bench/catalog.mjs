// @ts-check
/** Every measure by its id: what it is called, what it is compared with, and where it is drawn. */
import {LANGUAGES, WORK} from './languages.mjs';

/**
 * @typedef {object} Measure
 * @property {string} title
 * @property {Group} group
 * @property {'ms' | 'MiB'} unit
 * @property {string | null} baseline the measure of the same run that tells how fast this machine was
 * @property {'boot' | 'command' | null} panel of the plot
 * @property {Kind} kind
 */
/** @typedef {'baseline' | 'cold' | 'warm' | 'up'} Kind `up`: no VM is started for it */
/** @typedef {typeof GROUPS[number]} Group */
/** @typedef {Readonly<Record<string, Partial<Measure> & {title: string}>>} Titles */

export const GROUPS = /** @type {const} */ ([
  'baselines',
  'until a VM is ready',
  'temporary VMs',
  'in a VM that is up',
  'a burst',
  'the command line',
  'processor time',
  'memory',
]);

/**
 * @param {Omit<Measure, 'title'>} common
 * @param {Titles} measures
 * @returns {Record<string, Measure>}
 */
const alike = (common, measures) =>
  Object.fromEntries(Object.entries(measures).map(([id, own]) => [id, {...common, ...own}]));

/** @param {(language: import('./languages.mjs').BenchLanguage) => Titles} make @returns {Titles} */
const forLanguages = (make) => Object.assign({}, ...LANGUAGES.map(make));

/** @param {string} id @param {string} title @returns {Titles} */
const coldAndWarm = (id, title) => ({
  [`${id}-cold`]: {title: `${title}, cold`, kind: 'cold'},
  [`${id}-warm`]: {title: `${title}, from a template`, kind: 'warm'},
});

const baselines = alike(
  {group: 'baselines', unit: 'ms', baseline: 'node', panel: 'command', kind: 'baseline'},
  {
    node: {title: 'node -e 0', baseline: null},
    'host-sh': {title: 'sh -c true, no VM'},
    ...forLanguages((language) => ({[`host-${language}`]: {title: `${WORK[language].command}, no VM`}})),
    'bare-qemu': {title: 'bare QEMU, to an init that powers off', baseline: null, panel: 'boot'},
  },
);

const boots = alike(
  {group: 'until a VM is ready', unit: 'ms', baseline: 'bare-qemu', panel: 'boot', kind: 'cold'},
  {
    ...coldAndWarm('ready', 'guest agent ready'),
    ...coldAndWarm('exec-first', 'vm exec true, VM down'),
  },
);

const temporary = alike(
  {group: 'temporary VMs', unit: 'ms', baseline: 'bare-qemu', panel: 'boot', kind: 'cold'},
  {
    ...coldAndWarm('temp-true', 'vm temp true'),
    ...coldAndWarm('temp-python-first', 'vm temp python, first byte'),
    ...forLanguages((language) => coldAndWarm(`temp-${language}`, `vm temp ${language}`)),
  },
);

const inRunning = alike(
  {group: 'in a VM that is up', unit: 'ms', baseline: 'node', panel: 'command', kind: 'up'},
  {
    'exec-up': {title: 'vm exec true, the whole command'},
    'exec-open': {title: 'exec true, open client'},
    'ping-open': {title: 'ping of the guest, open client'},
    'exec-guest': {title: 'true in the guest, fork to exit'},
    'exec-over': {title: 'exec over ping and guest', panel: null},
    ...forLanguages((language) => ({
      [`work-${language}`]: {title: `${WORK[language].command}, open client`},
    })),
  },
);

const bursts = alike(
  {group: 'a burst', unit: 'ms', baseline: 'bare-qemu', panel: 'boot', kind: 'warm'},
  {
    'burst-each': {title: 'each vm temp true of a burst'},
    'burst-all': {title: 'all of the burst', panel: null},
  },
);

const commandLine = alike(
  {group: 'the command line', unit: 'ms', baseline: 'node', panel: 'command', kind: 'up'},
  {
    version: {title: 'agent --version'},
    'list-10': {title: 'vm list, 10 VMs'},
    'list-1000': {title: 'vm list, 1,000 VMs'},
    'list-up': {title: 'vm list, VMs that are up', panel: null},
  },
);

const processorTime = alike(
  {group: 'processor time', unit: 'ms', baseline: 'node-cpu', panel: null, kind: 'up'},
  {
    'node-cpu': {title: 'node -e 0', baseline: null},
    'version-cpu': {title: 'agent --version'},
    'list-10-cpu': {title: 'vm list, 10 VMs'},
    'list-1000-cpu': {title: 'vm list, 1,000 VMs'},
    'list-up-cpu': {title: 'vm list, VMs that are up'},
    'exec-up-cpu': {title: 'vm exec true, VM up: the command'},
    ...coldAndWarm('temp-true-cpu', 'vm temp true, VMM included'),
    'burst-cpu': {title: 'the burst, VMMs included', kind: 'warm'},
  },
);

const memory = alike(
  {group: 'memory', unit: 'MiB', baseline: null, panel: null, kind: 'up'},
  {
    ...coldAndWarm('memory-vmm', 'VMM of an idle VM'),
    ...coldAndWarm('memory-monitor', 'its monitor'),
  },
);

/** @type {Readonly<Record<string, Measure>>} */
export const CATALOG = {
  ...baselines,
  ...boots,
  ...temporary,
  ...inRunning,
  ...bursts,
  ...commandLine,
  ...processorTime,
  ...memory,
};
