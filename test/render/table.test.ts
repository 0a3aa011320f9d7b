import {describe, expect, it} from 'vitest';
import {displayWidth} from '../../src/render/display-width.js';
import {renderTable} from '../../src/render/table.js';
import {someStream} from './some-stream.js';

describe('the width of a text', () => {
  it.each([
    ['', 0],
    ['plain', 5],
    ['äöü', 3],
    ['a\u0308', 1],
    ['漢字', 4],
    ['한국어', 6],
    ['😀', 2],
    ['👩‍👩‍👧', 2],
    ['…', 1],
  ])('%j is %i columns', (text, columns) => {
    expect(displayWidth(text)).toBe(columns);
  });
});

describe('a table', () => {
  it('has aligned columns, however wide their characters are', () => {
    const rows = [
      ['漢字', '1'],
      ['😀', '2'],
      ['plain', '3'],
    ];
    expect(renderTable(someStream(), ['Name', 'N'], rows)).toBe('Name   N\n漢字   1\n😀     2\nplain  3\n');
  });

  // A package that drew it took four times as long for twice as many rows, and minutes for these.
  it('of many rows is drawn as quickly as of few', () => {
    const rows = Array.from({length: 20_000}, (_, n) => [`python-${n}`, 'ready', '256', '-']);
    const lines = renderTable(someStream(), ['ID', 'Status', 'Memory', 'Run'], rows).split('\n');
    expect(lines).toHaveLength(20_002);
    expect(lines[20_000]).toBe('python-19999  ready   256     -');
  });
});
