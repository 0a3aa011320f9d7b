import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {densityOf} from '../../scripts/bench/density.mjs';
import {keepRun, replaceBetween} from '../../scripts/bench/keep.mjs';
import {markdownTable} from '../../scripts/bench/markdown.mjs';
import {drawPlot} from '../../scripts/bench/plot.mjs';
import {formatResults, parseResults} from '../../scripts/bench/results.mjs';
import {describeRun} from '../../scripts/bench/tables.mjs';
import {judgeTargets} from '../../scripts/bench/targets.mjs';
import {someRun, withFailures} from './some-run.js';

it('draws a table that lines up', () => {
  expect(
    markdownTable([
      ['measure', 'p50'],
      ['short', '1.0'],
      ['a longer one', '1234'],
    ]),
  ).toBe(
    [
      '| measure      |  p50 |',
      '|--------------|-----:|',
      '| short        |  1.0 |',
      '| a longer one | 1234 |',
    ].join('\n'),
  );
});

describe('the tables of a run', () => {
  const run = withFailures(someRun({'temp-true-warm': [40, 50, 60]}), 'temp-true-warm', ['it broke']);
  const tables = describeRun(run, judgeTargets(run));

  it('have each measure with its spread, its successes and its multiple of the baseline', () => {
    expect(tables).toMatch(
      /\| vm temp true, from a template +\| +3\/4 \| +50 \| +60 \| +60 \| +40 \| +60 \| +0\.50 \|/,
    );
  });

  it('say what was left out, and what failed', () => {
    expect(tables).toContain('- Left out: ruby without a VM: it is not installed on this machine.');
    expect(tables).toContain('- Failed: vm temp true, from a template: it broke');
  });

  it('tell what was measured of the memory, and what was reckoned from it', () => {
    expect(tables).toContain('2 took 250 MiB together');
    expect(tables).toContain('**34** would fit in 4 GiB');
  });

  it('tell where the time of commands went', () => {
    expect(tables).toMatch(/\| vm temp true, cold +\| +2000 \| +100 \|/);
    expect(tables).toMatch(/\| vm temp true, from a template +\| +80 \| +- \|/);
  });

  it('leave out a group of which nothing was measured', () => {
    const without = someRun({'burst-each': [], 'burst-all': []});
    expect(describeRun(without, [])).not.toContain('a burst (ms)');
  });
});

it('reckons how many VMs fit from the line through what was measured', () => {
  const found = densityOf([
    [1, 130],
    [2, 250],
    [3, 370],
  ]);
  expect(found).toMatchObject({vms: 3, perVmMib: 120, baseMib: 10, roomMib: 4096, fit: 34});
});

describe('the plot', () => {
  const svg = drawPlot(someRun({'bare-qemu': [1000], 'ready-cold': [1000, 2000, 4000], node: [50]}));

  it('has a bar to the median and a line to the p95, in proportion', () => {
    const widthOf = (label: string): number => {
      const after = svg.slice(svg.indexOf(`>${label}<`));
      return Number(/<rect [^>]*width="([\d.]+)"/.exec(after)?.[1]);
    };
    expect(widthOf('guest agent ready, cold')).toBeCloseTo(
      2 * widthOf('bare QEMU, to an init that powers off'),
      0,
    );
    expect(svg).toContain('>2000 (4000)<');
  });

  it('is well-formed, and escapes what it is given', () => {
    const hostile = someRun({}, {version: '<script>&"'});
    expect(drawPlot(hostile)).not.toContain('<script');
    const opened = svg.match(/<(?!\/|\?)[^>]*[^/]>/g)?.length;
    expect(opened).toBe(svg.match(/<\/\w+>/g)?.length);
  });

  it('has no panel for nothing', () => {
    const none = Object.fromEntries(someRun().measures.map(({id}) => [id, []]));
    expect(drawPlot(someRun(none))).not.toContain('NaN');
  });
});

describe('a run that is kept', () => {
  const folder = mkdtempSync(join(tmpdir(), 'agent-test-'));
  afterAll(() => rmSync(folder, {recursive: true}));

  it('comes back as it was', () => {
    const run = someRun({'exec-up': [1, 2.5, 3]});
    expect(formatResults(run)).toContain('[1, 2.5, 3]');
    expect(parseResults(formatResults(run))).toEqual(JSON.parse(JSON.stringify(run)));
    expect(() => parseResults('{"rows":{}}')).toThrow('not a run of this bench');
  });

  it('has no measure that nobody can read about', () => {
    expect(() => someRun({other: [1]})).toThrow('not in the catalog: other');
  });

  it('takes the place of the one before in the document, and nothing else of it', () => {
    const file = join(folder, 'run.json');
    const document = join(folder, 'run.md');
    writeFileSync(document, '# Mine\n\n<!-- bench: begin -->\nold\n<!-- bench: end -->\n\nThe rest.\n');
    const results = someRun();
    for (const tables of ['first', 'second']) {
      expect(keepRun(file, {results, tables})).toEqual([file, join(folder, 'run.svg'), document]);
    }
    expect(readFileSync(document, 'utf8')).toBe(
      '# Mine\n\n<!-- bench: begin -->\n\n![Medians and p95 of the measures](run.svg)\n\nThe raw figures: [run.json](run.json).\n\nsecond\n\n<!-- bench: end -->\n\nThe rest.\n',
    );
  });

  it('is refused by a document without a place for it', () => {
    expect(() => replaceBetween('# Mine\n', 'table')).toThrow('bench: begin');
  });
});
