import {describe, expect, it} from 'vitest';
import {compareRuns, regressionsOf} from '../../scripts/bench/compare.mjs';
import type {Results} from '../../scripts/bench/results.mjs';
import {someRun, withFailures} from './some-run.js';

const verdictOf = (id: string, then: Results, now: Results, threshold = 1.25): string | undefined =>
  compareRuns(then, now, {threshold}).find((each) => each.id === id)?.verdict;

describe('two runs compared', () => {
  it('are the same where one machine was slower in everything', () => {
    const slower = someRun();
    const faster = structuredClone(slower);
    for (const {spread, unit} of faster.measures) if (spread && unit === 'ms') spread.p50 /= 3;
    const comparisons = compareRuns(slower, faster, {threshold: 1.25});
    expect(new Set(comparisons.map(({verdict}) => verdict))).toEqual(new Set(['same']));
    expect(comparisons.length).toBeGreaterThan(20);
  });

  it('differ where a ratio grew by more than the threshold', () => {
    const then = someRun({'temp-true-warm': [40], 'bare-qemu': [100]});
    expect(verdictOf('temp-true-warm', then, someRun({'temp-true-warm': [49]}))).toBe('same');
    expect(verdictOf('temp-true-warm', then, someRun({'temp-true-warm': [51]}))).toBe('worse');
    expect(verdictOf('temp-true-warm', then, someRun({'temp-true-warm': [51]}), 1.5)).toBe('same');
    expect(verdictOf('temp-true-warm', then, someRun({'temp-true-warm': [31]}))).toBe('better');
  });

  it('differ where only the baseline got faster', () => {
    expect(verdictOf('list-10-cpu', someRun(), someRun({'node-cpu': [50]}))).toBe('worse');
  });

  it('are compared in what has no baseline as it is', () => {
    expect(verdictOf('memory-vmm-cold', someRun(), someRun({'memory-vmm-cold': [130]}))).toBe('worse');
  });

  it('differ where an attempt failed, however fast the others were', () => {
    const now = withFailures(someRun({'burst-each': [1, 1, 1]}), 'burst-each', ['broken']);
    expect(verdictOf('burst-each', someRun(), now)).toBe('fails');
  });

  it('differ where a measure is gone, and where it never succeeded', () => {
    expect(verdictOf('temp-ruby-warm', someRun(), someRun({'temp-ruby-warm': []}))).toBe('gone');
    expect(verdictOf('temp-ruby-warm', someRun({'temp-ruby-warm': []}), someRun())).toBe('new');
  });

  it('say nothing of the machines themselves', () => {
    const ids = compareRuns(someRun(), someRun({'host-ruby': []}), {threshold: 1.25}).map(({id}) => id);
    expect(ids).not.toContain('node');
    expect(ids).not.toContain('bare-qemu');
    expect(ids).not.toContain('node-cpu');
    expect(ids).not.toContain('host-ruby');
  });

  it('count as regressions what is worse, fails or is gone', () => {
    const now = withFailures(
      someRun({'temp-true-warm': [200], 'temp-true-cold': [10], 'ready-warm': []}),
      'exec-up',
      ['broken'],
    );
    const found = regressionsOf(compareRuns(someRun(), now, {threshold: 1.25}));
    expect(found.map(({id}) => id).toSorted()).toEqual(['exec-up', 'ready-warm', 'temp-true-warm']);
  });
});
