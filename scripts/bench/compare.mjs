// @ts-check
/**
 * Two runs, perhaps of two machines: each measure is divided by its baseline of the same run, and those ratios are
 * compared. What has no baseline, as memory has none, is compared as it is.
 */
import {measureOf, successOf} from './results.mjs';

/**
 * @typedef {object} Comparison
 * @property {string} id
 * @property {string} title
 * @property {string} group
 * @property {string} against the baseline's title
 * @property {number | null} before the ratio of the older run
 * @property {number | null} after
 * @property {'worse' | 'better' | 'same' | 'fails' | 'gone' | 'new'} verdict
 */
/** @typedef {Pick<import('./results.mjs').Results, 'measures'>} Run */

/**
 * @param {Run} then
 * @param {Run} now
 * @param {{threshold: number}} options `threshold`: by which factor a ratio may grow
 * @returns {Comparison[]}
 */
export const compareRuns = (then, now, {threshold}) => {
  const ids = [...new Set([...now.measures, ...then.measures].map(({id}) => id))];
  return ids
    .filter((id) => !isBaseline(id, [then, now]))
    .map((id) => {
      const [old, young] = [measureOf(then, id), measureOf(now, id)];
      const {title = id, group = '', baseline = null} = young ?? old ?? {};
      const against = baseline === null ? 'as it is' : (measureOf(now, baseline)?.title ?? baseline);
      const ratios = {before: ratioOf(then, old), after: ratioOf(now, young)};
      return {id, title, group, against, ...ratios, verdict: judge({old, young, ...ratios, threshold})};
    });
};

/** @param {readonly Comparison[]} comparisons */
export const regressionsOf = (comparisons) =>
  comparisons.filter(({verdict}) => verdict === 'worse' || verdict === 'fails' || verdict === 'gone');

/**
 * What others are divided by: it tells of the machine.
 * @param {string} id
 * @param {readonly Run[]} runs
 */
const isBaseline = (id, runs) =>
  runs.some(({measures}) =>
    measures.some(
      (measure) => measure.baseline === id || (measure.id === id && measure.group === 'baselines'),
    ),
  );

/**
 * @param {Run} run
 * @param {import('./results.mjs').Result | undefined} measure
 */
const ratioOf = (run, measure) => {
  const value = measure?.spread?.p50;
  if (measure === undefined || value === undefined) return null;
  if (measure.baseline === null) return value;
  const by = measureOf(run, measure.baseline)?.spread?.p50;
  return by ? value / by : null;
};

/**
 * @param {{
 *   old: import('./results.mjs').Result | undefined,
 *   young: import('./results.mjs').Result | undefined,
 *   before: number | null,
 *   after: number | null,
 *   threshold: number,
 * }} pair
 * @returns {Comparison['verdict']}
 */
const judge = ({old, young, before, after, threshold}) => {
  if (young === undefined) return 'gone';
  if (old === undefined) return 'new';
  if (successOf(young) < successOf(old)) return 'fails';
  if (before === null) return 'new';
  if (after === null) return 'gone';
  if (before <= 0) return 'same'; // a difference that was nothing has no multiples
  if (after > before * threshold) return 'worse';
  return after * threshold < before ? 'better' : 'same';
};
