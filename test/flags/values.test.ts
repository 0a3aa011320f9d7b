import {totalmem} from 'node:os';
import {Parser} from '@oclif/core';
import {describe, expect, it} from 'vitest';
import {parseEnv, parseLabels} from '../../src/flags/key-value.js';
import {createFlags, nameFlag, runFlags} from '../../src/flags/vm-flags.js';
import {explainThrown} from '../../src/usage-errors.js';

const flags = {...createFlags, ...nameFlag, ...runFlags};
type FlagName = keyof typeof flags;

const parse = async (name: FlagName, value: string): Promise<unknown> => {
  const {flags: parsed} = await Parser.parse([`--${name}=${value}`], {flags});
  return (parsed as Record<string, unknown>)[name];
};

const MIB = 1024 ** 2;

describe('a flag', () => {
  it.each<[FlagName, string, unknown]>([
    ['timeout', '30', 30_000],
    ['timeout', '30s', 30_000],
    ['timeout', '1.5', 1_500],
    ['timeout', '500ms', 500],
    ['timeout', '5m', 300_000],
    ['timeout', '1h', 3_600_000],
    ['idle-timeout', '0', 0],
    ['mem', '256', 256],
    ['mem', '512M', 512],
    ['mem', '512m', 512],
    ['mem', '512MiB', 512],
    ['mem', '1G', 1024],
    ['mem', '0.5g', 512],
    ['mem', '131072k', 128],
    ['max-output', '1', MIB],
    ['max-output', '64k', 65_536],
    ['cpu', '1', 1],
    ['cpu', '32', 32],
    ['name', 'builder', 'builder'],
    ['name', 'a.B_c-9', 'a.B_c-9'],
    ['name', 'x'.repeat(63), 'x'.repeat(63)],
    ['network', 'none', 'none'],
    ['network', 'allow_all', 'allow_all'],
    ['language', 'py', 'python'],
    ['language', 'JS', 'node'],
    ['language', 'ts', 'typescript'],
  ])('--%s takes %j', async (name, value, expected) => {
    expect(await parse(name, value)).toBe(expected);
  });

  it.each<[FlagName, string]>([
    ...['', 'abc', '0', '-1', '1e3', '10 s', '5d', 'Infinity', '0.01', '8d', '200h'].map(
      (value): [FlagName, string] => ['timeout', value],
    ),
    ...['', 'abc', '0', '1', '127', '-256', '256T', '1e9', '0x200', `${Math.ceil(totalmem() / MIB) + 1}`].map(
      (value): [FlagName, string] => ['mem', value],
    ),
    ...['', 'abc', '0', '-1', '33', '999', '1.5', '1e1', '٣'].map((value): [FlagName, string] => [
      'cpu',
      value,
    ]),
    ...['', '-x', '.x', 'a b', 'a/b', '../x', 'ä', 'x\n', 'x'.repeat(64)].map((value): [FlagName, string] => [
      'name',
      value,
    ]),
    ...['', 'bogus', 'NONE', 'allow'].map((value): [FlagName, string] => ['network', value]),
    ...['', 'perl', 'constructor', 'python3'].map((value): [FlagName, string] => ['language', value]),
  ])('--%s refuses %j and says what it takes', async (name, value) => {
    const thrown: unknown = await parse(name, value).catch((error: unknown) => error);
    const error = explainThrown(thrown, 'vm:create');
    expect(error.code).toBe('USAGE');
    expect(error.message).not.toMatch(/Parsing|See more help/);
    expect(error.hints.length).toBeGreaterThan(0);
  });
});

describe('labels', () => {
  it('are key=value', () => {
    expect(parseLabels(['team=web', 'a/b.c-d_e=x=y', 'empty='])).toEqual({
      team: 'web',
      'a/b.c-d_e': 'x=y',
      empty: '',
    });
    expect(parseLabels(undefined)).toEqual({});
  });

  it.each([
    '',
    'team',
    '=web',
    '-a=1',
    'a b=1',
    '__proto__=1',
    `${'k'.repeat(64)}=1`,
    `k=${'v'.repeat(256)}`,
    'k=a\nb',
  ])('are not %j', (label) => {
    expect(() => parseLabels([label])).toThrow(expect.objectContaining({code: 'USAGE'}));
  });
});

describe('environment variables', () => {
  it('are NAME=value, or NAME for our own', () => {
    const env = {HOME: '/root', EMPTY: ''};
    expect(parseEnv(['A=1', 'B=x=y', 'C=', 'HOME', 'EMPTY', 'MISSING', 'M=a\nb'], env)).toEqual([
      'A=1',
      'B=x=y',
      'C=',
      'HOME=/root',
      'EMPTY=',
      'M=a\nb',
    ]);
  });

  it.each(['', '=x', '1A=x', 'A B=x', 'A-é=x', ' A=1', 'A\n=1'])('are not %j', (entry) => {
    expect(() => parseEnv([entry], {})).toThrow(expect.objectContaining({code: 'USAGE'}));
  });
});
