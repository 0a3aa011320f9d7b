import {describe, expect, it} from 'vitest';
import {phasesOf} from '../../scripts/bench/measure.mjs';
import {lineThrough, spread, spreadByName} from '../../scripts/bench/statistics.mjs';

describe('spread', () => {
  it('takes the middle of an odd number of values, in any order', () => {
    expect(spread([3, 1, 2])).toEqual({runs: 3, min: 1, p50: 2, p95: 3, p99: 3, max: 3});
  });

  it('takes the mean of the two middle values of an even number', () => {
    expect(spread([4, 1, 3, 2]).p50).toBe(2.5);
  });

  it('has a p95 and a p99 that so many do not exceed', () => {
    const values = Array.from({length: 200}, (_, index) => index + 1);
    expect(spread(values)).toMatchObject({p95: 190, p99: 198, max: 200});
    expect(spread(values.slice(0, 20))).toMatchObject({p95: 19, p99: 20});
    expect(spread([7])).toEqual({runs: 1, min: 7, p50: 7, p95: 7, p99: 7, max: 7});
  });

  it('refuses no values at all', () => {
    expect(() => spread([])).toThrow('no measurement');
  });
});

it('spreads each name over the runs that have it', () => {
  const rows = spreadByName([{boot: 2, exec: 1}, {boot: 4}, {boot: 3, cleanup: 9}]);
  expect(Object.keys(rows)).toEqual(['boot', 'exec', 'cleanup']);
  expect(rows.boot?.p50).toBe(3);
  expect(rows.exec?.runs).toBe(1);
});

describe('the line through points', () => {
  it('is that on which they lie', () => {
    const {slope, base} = lineThrough([
      [1, 130],
      [2, 230],
      [3, 330],
    ]);
    expect(slope).toBeCloseTo(100);
    expect(base).toBeCloseTo(30);
  });

  it('lies between those that do not lie on one', () => {
    const {slope, base} = lineThrough([
      [1, 90],
      [2, 220],
      [3, 290],
    ]);
    expect(slope).toBeCloseTo(100);
    expect(base).toBeCloseTo(0);
  });

  it('goes through zero where there is one point only', () => {
    expect(lineThrough([[2, 50]])).toEqual({slope: 25, base: 0});
  });
});

describe('phases', () => {
  it('are those of the last line that has them', () => {
    const log = 'some words\n{"message":"created"}\n{"phases":{"boot":7}}\n{"message":"cleaned"}\n';
    expect(phasesOf(log)).toEqual({boot: 7});
  });

  it('are missed where no line has them', () => {
    expect(() => phasesOf('{"message":"created"}\n')).toThrow('no phases');
  });
});
