import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {sweepOut} from '../../src/vm/sweep-out.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweep-'));
});
afterEach(() => rmSync(folder, {recursive: true}));

const make = (...names: readonly string[]): void => {
  for (const name of names) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'file'), name);
  }
};

describe('what a killed command line left beside out/', () => {
  it('goes, and nothing else', async () => {
    make('out', 'out.new-abc', 'out.old-def', 'runs');
    await sweepOut(folder, 0);
    expect(readdirSync(folder).toSorted()).toEqual(['out', 'runs']);
    expect(readFileSync(join(folder, 'out/file'), 'utf8')).toBe('out');
  });

  it('takes its place again where it is all that is left', async () => {
    make('out.new-abc', 'out.old-def');
    await sweepOut(folder, 0);
    expect(readdirSync(folder)).toEqual(['out']);
    expect(readFileSync(join(folder, 'out/file'), 'utf8')).toBe('out.old-def');
  });

  it('stays while it may be somebody’s work', async () => {
    make('out', 'out.new-abc');
    await sweepOut(folder);
    expect(readdirSync(folder).toSorted()).toEqual(['out', 'out.new-abc']);
  });
});
