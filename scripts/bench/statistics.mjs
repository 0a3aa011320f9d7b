// @ts-check

/**
 * The spread of some measurements, in their own unit. p95 is the smallest value that at least 95 % do not exceed, and p99
 * likewise: of fewer than 100 it is the largest.
 * @param {readonly number[]} values at least one
 */
export const spread = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    runs: sorted.length,
    min: at(sorted, 0),
    p50: middle(sorted),
    p95: at(sorted, Math.ceil(sorted.length * 0.95) - 1),
    p99: at(sorted, Math.ceil(sorted.length * 0.99) - 1),
    max: at(sorted, sorted.length - 1),
  };
};

/** @typedef {ReturnType<typeof spread>} Spread */

/** @param {readonly number[]} sorted */
const middle = (sorted) => {
  const half = sorted.length / 2;
  return Number.isInteger(half)
    ? (at(sorted, half - 1) + at(sorted, half)) / 2
    : at(sorted, Math.floor(half));
};

/**
 * @param {readonly number[]} values
 * @param {number} index
 */
const at = (values, index) => {
  const value = values[index];
  if (value === undefined) throw new RangeError('no measurement');
  return value;
};

/**
 * The spread of each named value over several runs, in the order of their first appearance.
 * @param {readonly Readonly<Record<string, number | undefined>>[]} runs
 * @returns {Record<string, Spread>}
 */
export const spreadByName = (runs) => {
  const names = [...new Set(runs.flatMap((run) => Object.keys(run)))];
  return Object.fromEntries(names.map((name) => [name, spread(runs.flatMap((run) => run[name] ?? []))]));
};

/**
 * The straight line nearest to some points, by least squares: how much one more costs, and what they cost together
 * besides. One point gives the line through it and zero.
 * @param {readonly (readonly [number, number])[]} points
 */
export const lineThrough = (points) => {
  const [first] = points;
  if (first === undefined) throw new RangeError('no measurement');
  if (points.length === 1) return {slope: first[1] / first[0], base: 0};
  const meanX = mean(points.map(([x]) => x));
  const meanY = mean(points.map(([, y]) => y));
  const above = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const below = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = above / below;
  return {slope, base: meanY - slope * meanX};
};

/** @param {readonly number[]} values */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
