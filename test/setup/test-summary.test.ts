import {describe, expect, it} from 'vitest';
import {countTests, summaryLine} from '../../scripts/test-summary.mjs';

const report = (numbers: {passed?: number; failed?: number; pending?: number; todo?: number}) => ({
  numPassedTests: numbers.passed ?? 0,
  numFailedTests: numbers.failed ?? 0,
  numPendingTests: numbers.pending ?? 0,
  numTodoTests: numbers.todo ?? 0,
  testResults: [] as {status: string; assertionResults: unknown[]}[],
});
const line = (...args: Parameters<typeof countTests>): string => summaryLine(countTests(...args));

describe('the line that ends a run', () => {
  it('counts what passed', () => expect(line(report({passed: 12}), 0)).toBe('12 passed, 0 failed'));

  it('counts what failed and what was skipped', () =>
    expect(line(report({passed: 1, failed: 2, pending: 3, todo: 1}), 1)).toBe(
      '1 passed, 2 failed, 4 skipped',
    ));

  it('counts a file that could not be loaded as a failure', () => {
    const broken = {...report({passed: 5}), testResults: [{status: 'failed', assertionResults: []}]};
    expect(line(broken, 1)).toBe('5 passed, 1 failed');
  });

  it('counts a run that failed without a failed test as a failure', () =>
    expect(line(report({passed: 5}), 1)).toBe('5 passed, 1 failed'));

  it('counts no report, and no test, as a failure', () => {
    expect(line(undefined, 1)).toBe('0 passed, 1 failed');
    expect(line(report({}), 0)).toBe('0 passed, 1 failed');
  });
});
