import {describe, expect, it} from 'vitest';
import {parseDevices} from '../../../src/launcher/krunvm/isolation.js';
import {compareVersions, requireVersions} from '../../../src/launcher/krunvm/tools.js';

describe('compareVersions', () => {
  it.each([
    ['0.2.5', '0.2.5', 0],
    ['0.2.10', '0.2.9', 1],
    ['1.9.0', '1.12.0', -1],
    ['1.12', '1.12.0', 0],
    ['2.0.0', '1.99.99', 1],
  ])('%s and %s', (a, b, sign) => {
    expect(Math.sign(compareVersions(a, b))).toBe(sign);
  });
});

describe('requireVersions', () => {
  it('takes what is new enough, and what does not tell', () => {
    requireVersions([
      {name: 'krunvm', found: '0.2.6', minimum: '0.2.5'},
      {name: 'libkrun', found: null, minimum: '1.12.0'},
    ]);
  });

  it('refuses what is too old, and says what would do', () => {
    const old = {name: 'libkrun', found: '1.9.1', minimum: '1.12.0'};
    expect(() => requireVersions([old])).toThrow('libkrun 1.9.1 is too old: agent needs 1.12.0 or later');
  });
});

describe('parseDevices', () => {
  it('names the devices of a network namespace', () => {
    const text = 'Inter-| Receive\n face |bytes\n    lo: 0 0\n  eth0: 12 3\n';
    expect(parseDevices(text)).toEqual(['lo', 'eth0']);
    expect(parseDevices('')).toEqual([]);
  });
});
