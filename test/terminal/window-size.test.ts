import {describe, expect, it} from 'vitest';
import {measure} from '../../src/terminal/window-size.js';

const unused = (): string => {
  throw new Error('stty was asked');
};

describe('the size of the window', () => {
  it('is that of the first stream that is the terminal', () => {
    const streams = [{}, {isTTY: true, rows: 30, columns: 100}, {isTTY: true, rows: 1, columns: 1}];
    expect(measure(streams, unused)).toEqual({rows: 30, columns: 100});
  });

  it('is what stty says where the output goes elsewhere', () => {
    expect(measure([{}, {isTTY: false}], () => '50 132')).toEqual({rows: 50, columns: 132});
  });

  it.each(['0 0', '', 'x y', '70000 -1', '24.5 80.5'])('is the usual one for %j', (said) => {
    expect(measure([], () => said)).toEqual({rows: 24, columns: 80});
  });

  it('is the usual one for a terminal that does not know it', () => {
    expect(measure([{isTTY: true}], unused)).toEqual({rows: 24, columns: 80});
  });
});
