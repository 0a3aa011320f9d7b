import {describe, expect, it} from 'vitest';
import {phasesOf} from '../../scripts/bench/measure.mjs';
import {spread, spreadByName} from '../../scripts/bench/statistics.mjs';
import {spreadTable} from '../../scripts/bench/table.mjs';

describe('spread', () => {
  it('takes the middle of an odd number of values, in any order', () => {
    expect(spread([3, 1, 2])).toEqual({runs: 3, min: 1, median: 2, p95: 3, max: 3});
  });

  it('takes the mean of the two middle values of an even number', () => {
    expect(spread([4, 1, 3, 2]).median).toBe(2.5);
  });

  it('has a p95 that 95 % do not exceed', () => {
    const values = Array.from({length: 100}, (_, index) => index + 1);
    expect(spread(values).p95).toBe(95);
    expect(spread(values.slice(0, 20)).p95).toBe(19);
    expect(spread([7])).toEqual({runs: 1, min: 7, median: 7, p95: 7, max: 7});
  });

  it('refuses no values at all', () => {
    expect(() => spread([])).toThrow('no measurement');
  });
});

it('spreads each name over the runs that have it', () => {
  const rows = spreadByName([{boot: 2, exec: 1}, {boot: 4}, {boot: 3, cleanup: 9}]);
  expect(Object.keys(rows)).toEqual(['boot', 'exec', 'cleanup']);
  expect(rows.boot?.median).toBe(3);
  expect(rows.exec?.runs).toBe(1);
});

it('finds the phases in the last line that has them', () => {
  expect(phasesOf('{"message":"created"}\n{"phases":{"boot":7}}\n{"message":"cleaned"}\n')).toEqual({
    boot: 7,
  });
});

it('draws a table that lines up', () => {
  expect(spreadTable({short: spread([1, 2.25]), 'a longer one': spread([1234])})).toBe(
    [
      '| measure      | runs | min (ms) | median (ms) | p95 (ms) | max (ms) |',
      '|--------------|-----:|---------:|------------:|---------:|---------:|',
      '| short        |    2 |      1.0 |         1.6 |      2.3 |      2.3 |',
      '| a longer one |    1 |     1234 |        1234 |     1234 |     1234 |',
    ].join('\n'),
  );
});
