import {expect, it} from 'vitest';
import {passThroughKernel} from '../fixtures/krunvm-double/kernel-line.mjs';

const pass = (
  args: readonly string[],
  more: {command?: string; env?: readonly string[]; workdir?: string} = {},
) => passThroughKernel({command: '/bin/x', args, env: [], workdir: '', ...more});
const argsOf = (args: readonly string[], more = {}) => {
  const given = pass(args, more);
  return typeof given === 'string' ? given : given.args;
};
const envOf = (env: readonly string[], more = {}) => {
  const given = pass([], {env, ...more});
  return typeof given === 'string' ? given : Object.fromEntries(given.env);
};
const numbers = (count: number): string[] => Array.from({length: count}, (_, at) => `n${at}`);

it.each([
  ['keeps spaces, quotes, dollars, backslashes and empty arguments', ['a b', "'", '$x', 'c=d', '\\', '']],
  ['keeps the most that there may be', numbers(31)],
])('%s', (_, args) => {
  expect(argsOf(args)).toEqual(args);
});

it.each([
  [
    'splits at the double quotes in an argument with spaces',
    ['say "hi there" now'],
    ['say "hi', 'there" now"'],
  ],
  ['drops a -- and what follows it', ['a', '--', 'b'], ['a']],
  ['reboots with more arguments than the kernel takes', numbers(32), 'panic'],
  ['hangs with a long line', ['x'.repeat(1700)], 'hang'],
  ['passes a line of 1.5 kB', ['x'.repeat(1500)], ['x'.repeat(1500)]],
  ['aborts at a newline', ['a\nb'], 'invalid'],
  ['aborts at a tab', ['a\tb'], 'invalid'],
  ['aborts at what is not ASCII', ['é'], 'invalid'],
])('%s', (_, args, seen) => {
  expect(argsOf(args)).toEqual(seen);
});

it('cuts a command and a folder at a space', () => {
  expect(envOf([], {command: '/bin/a b', workdir: '/c d'})).toMatchObject({
    KRUN_INIT: '/bin/a',
    KRUN_WORKDIR: '/c',
  });
});

it('passes variables, but those whose names the kernel knows or that have a dot', () => {
  expect(envOf(['A=b c', 'HOME=/root', 'mem=1', 'debug=2', 'a.b=c'])).toEqual({
    HOME: '/root',
    TERM: 'linux',
    KRUN_INIT: '/bin/x',
    A: 'b c',
  });
});

it('reboots with more variables than the kernel takes', () => {
  const own = ['HOSTNAME=vm', 'HOME=/root'];
  const many = (count: number) => [...own, ...numbers(count).map((name) => `${name}=1`)];
  expect(envOf(many(29))).toHaveProperty('n28', '1');
  expect(envOf(many(31))).toBe('panic');
});
