// @ts-check
/** What this program wants to be, as ratios of measures of one run. */
import {measureOf, medianOf, successOf} from './results.mjs';

/**
 * @typedef {object} Target
 * @property {string} what
 * @property {string} aim
 * @property {string} found
 * @property {boolean | null} isMet null: it was not measured
 */
/** @typedef {Pick<import('./results.mjs').Results, 'measures' | 'plan'>} Measured */
/** @typedef {{what: string, limit: number, unit?: string, places?: number, of: (median: Median, run: Measured) => number}} Aim */
/** @typedef {(id: string) => number} Median NaN where there is none */

/** @type {readonly Aim[]} */
const AIMS = [
  {
    what: 'agent ready from a template, of a cold boot',
    limit: 1 / 15,
    places: 3,
    of: (median) => median('ready-warm') / median('ready-cold'),
  },
  {
    what: 'warm vm temp true, beyond agent --version',
    limit: 400,
    unit: ' ms',
    places: 0,
    of: (median) => median('temp-true-warm') - median('version'),
  },
  ...['python', 'node', 'ruby'].map((language) => ({
    what: `warm vm temp ${language}, of the cold one`,
    limit: language === 'python' ? 0.3 : 0.6,
    of: (/** @type {Median} */ median) => median(`temp-${language}-warm`) / median(`temp-${language}-cold`),
  })),
  {
    what: 'cold boot until the agent is ready, of bare QEMU',
    limit: 1.3,
    of: (median) => median('ready-cold') / median('bare-qemu'),
  },
  {
    what: 'vm list of 10, of node -e 0, processor time',
    limit: 3,
    of: (median) => median('list-10-cpu') / median('node-cpu'),
  },
  {
    what: 'vm list of 1,000, of that of 10, processor time',
    limit: 2,
    of: (median) => median('list-1000-cpu') / median('list-10-cpu'),
  },
  {
    what: 'a burst of vm temp true, of as many one by one, processor time',
    limit: 1.2,
    of: (median, {plan}) => median('burst-cpu') / (plan.burst * median('temp-true-cpu-warm')),
  },
  {
    what: 'of a burst of vm temp true, those that fail',
    limit: 0,
    unit: ' %',
    places: 0,
    of: (_, run) => {
      const each = measureOf(run, 'burst-each');
      return each ? 100 * (1 - successOf(each)) : Number.NaN;
    },
  },
  {
    what: 'exec through an open client, beyond a ping and the guest’s own time',
    limit: 5,
    unit: ' ms',
    places: 1,
    of: (median) => median('exec-over'),
  },
  {
    what: 'vm exec true, beyond agent --version and the guest’s own time',
    limit: 100,
    unit: ' ms',
    places: 0,
    of: (median) => median('exec-up') - median('version') - median('exec-guest'),
  },
];

/**
 * @param {Measured} run
 * @returns {Target[]}
 */
export const judgeTargets = (run) =>
  AIMS.map(({what, limit, unit = ' ×', places = 2, of}) => {
    const value = of((id) => medianOf(run, id) ?? Number.NaN, run);
    const isKnown = Number.isFinite(value);
    return {
      what,
      aim: `at most ${limit.toFixed(places)}${unit}`,
      found: isKnown ? `${value.toFixed(places)}${unit}` : 'not measured',
      isMet: isKnown ? value <= limit : null,
    };
  });
