import {describe, expect, it, vi} from 'vitest';
import {readOptions} from '../../scripts/bench/options.mjs';

describe('the options of the bench', () => {
  it('write a whole run into the document, and no shorter one', () => {
    expect(readOptions([])).toMatchObject({
      runs: 30,
      quick: false,
      out: 'docs/benchmarks.json',
      threshold: 1.25,
    });
    expect(readOptions(['--runs', '29'])?.out).toBeUndefined();
    expect(readOptions(['--quick'])).toMatchObject({runs: 1, quick: true, out: undefined});
    expect(readOptions(['--quick', '--runs', '30'])?.out).toBeUndefined();
    expect(readOptions(['--from', 'a.json'])?.out).toBeUndefined();
    expect(readOptions(['--runs', '1', '--out', 'a.json'])?.out).toBe('a.json');
  });

  it.each([
    ['--runs', '0'],
    ['--runs', '1.5'],
    ['--minutes', 'x'],
    ['--threshold', '0.5'],
    ['--threshold', 'x'],
    ['--out', 'a.txt'],
    ['--other'],
  ])('are refused with a usage: %s %s', (...args) => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    expect(() => readOptions(args)).toThrow('usage: npm run bench');
    expect(told).toHaveBeenCalledOnce();
    told.mockRestore();
  });

  it('are told', () => {
    const told = vi.spyOn(console, 'log').mockImplementation(() => {});
    expect(readOptions(['--help'])).toBeUndefined();
    expect(told).toHaveBeenCalledWith(expect.stringContaining('--compare'));
    told.mockRestore();
  });
});
