// @ts-check
import {CATALOG} from './catalog.mjs';
import {spread, spreadByName} from './statistics.mjs';

/** Counts up when a field changes its meaning. */
const SCHEMA = 1;

/**
 * @typedef {import('./catalog.mjs').Measure & {
 *   id: string,
 *   attempts: number,
 *   failures: readonly string[],
 *   spread: import('./statistics.mjs').Spread | null,
 *   values: readonly number[],
 * }} Result `spread` is null where no attempt succeeded
 */

/**
 * One run of the bench, as it is kept.
 * @typedef {object} Results
 * @property {number} schema
 * @property {string} version
 * @property {string} time
 * @property {import('./machine.mjs').Machine} machine
 * @property {{start: number, end: number}} load average of one minute
 * @property {{runs: number, burst: number, rounds: number}} plan
 * @property {Result[]} measures
 * @property {Record<string, Record<string, import('./statistics.mjs').Spread>>} phases by measure
 * @property {Record<'cold' | 'warm', import('./density.mjs').Density | undefined>} density
 * @property {readonly import('./collect.mjs').LeftOut[]} leftOut
 */

/**
 * @param {Omit<Results, 'schema' | 'measures' | 'phases'> & {
 *   samples: Readonly<Record<string, import('./samples.mjs').Sample>>,
 *   phases: Readonly<Record<string, readonly Readonly<Record<string, number>>[]>>,
 * }} measured
 * @returns {Results}
 */
export const toResults = ({samples, phases, ...rest}) => {
  const unknown = Object.keys(samples).filter((id) => CATALOG[id] === undefined);
  if (unknown.length > 0) throw new Error(`not in the catalog: ${unknown.join(', ')}`);
  return {
    schema: SCHEMA,
    ...rest,
    measures: Object.entries(CATALOG).flatMap(([id, measure]) => {
      const sample = samples[id];
      return sample ? [{id, ...measure, ...resultOf(sample)}] : [];
    }),
    phases: Object.fromEntries(Object.entries(phases).map(([id, runs]) => [id, spreadByName(runs)])),
  };
};

/** @param {import('./samples.mjs').Sample} sample */
const resultOf = ({attempts, failures, values}) => ({
  attempts,
  failures,
  spread: values.length === 0 ? null : spread(values),
  values,
});

/**
 * @param {string} text of a file that a run has written
 * @returns {Results}
 */
export const parseResults = (text) => {
  const results = JSON.parse(text);
  if (results?.schema !== SCHEMA || !Array.isArray(results.measures))
    throw new Error('not a run of this bench');
  return results;
};

/**
 * One number a line in lists of numbers would make most of the file.
 * @param {Results} results
 */
export const formatResults = (results) => {
  const text = JSON.stringify(results, null, 2);
  return `${text.replace(/\[\s+(-?[\d.e+-]+(?:,\s+-?[\d.e+-]+)*)\s+\]/g, (_, list) => `[${list.replace(/,\s+/g, ', ')}]`)}\n`;
};

/**
 * @param {Pick<Results, 'measures'>} results
 * @param {string} id
 */
export const measureOf = ({measures}, id) => measures.find((measure) => measure.id === id);

/**
 * The median of a measure; undefined where there is none.
 * @param {Pick<Results, 'measures'>} results
 * @param {string} id
 */
export const medianOf = (results, id) => measureOf(results, id)?.spread?.p50;

/** @param {Pick<Result, 'attempts' | 'spread'>} result */
export const successOf = ({attempts, spread: found}) => (attempts === 0 ? 0 : (found?.runs ?? 0) / attempts);
