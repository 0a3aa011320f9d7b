import {describe, expect, it} from 'vitest';
import {judgeTargets} from '../../scripts/bench/targets.mjs';
import {someRun, withFailures} from './some-run.js';

const targetOf = (what: RegExp, run: ReturnType<typeof someRun>) =>
  judgeTargets(run).find((target) => what.test(target.what));

describe('a target', () => {
  it.each([
    [/^agent ready from a template/, {'ready-cold': [1500], 'ready-warm': [100]}, {'ready-warm': [101]}],
    [/beyond agent --version$/, {version: [100], 'temp-true-warm': [500]}, {'temp-true-warm': [501]}],
    [
      /warm vm temp python/,
      {'temp-python-cold': [1000], 'temp-python-warm': [300]},
      {'temp-python-warm': [301]},
    ],
    [/warm vm temp node/, {'temp-node-cold': [1000], 'temp-node-warm': [600]}, {'temp-node-warm': [601]}],
    [/warm vm temp ruby/, {'temp-ruby-cold': [1000], 'temp-ruby-warm': [600]}, {'temp-ruby-warm': [601]}],
    [/of bare QEMU/, {'bare-qemu': [1000], 'ready-cold': [1300]}, {'ready-cold': [1301]}],
    [/vm list of 10,/, {'node-cpu': [50], 'list-10-cpu': [150]}, {'list-10-cpu': [151]}],
    [/vm list of 1,000/, {'list-10-cpu': [150], 'list-1000-cpu': [300]}, {'list-1000-cpu': [301]}],
    [/one by one/, {'temp-true-cpu-warm': [100], 'burst-cpu': [1200]}, {'burst-cpu': [1201]}],
  ])('%s is met up to its limit', (what, met, missed) => {
    expect(targetOf(what, someRun(met))).toMatchObject({isMet: true});
    expect(targetOf(what, someRun({...met, ...missed}))).toMatchObject({isMet: false});
  });

  it('is missed by one failure in a burst', () => {
    expect(targetOf(/that fail/, someRun())).toMatchObject({isMet: true, found: '0 %'});
    const failing = withFailures(someRun({'burst-each': [1, 1, 1]}), 'burst-each', ['broken']);
    expect(targetOf(/that fail/, failing)).toMatchObject({isMet: false, found: '25 %'});
  });

  it('is neither met nor missed where it was not measured', () => {
    expect(targetOf(/^agent ready/, someRun({'ready-warm': []}))).toMatchObject({
      isMet: null,
      found: 'not measured',
    });
  });
});
