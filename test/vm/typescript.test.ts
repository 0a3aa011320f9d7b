import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, expect, it} from 'vitest';
import {type AgentResult, agent} from '../support/agent.js';
import {guestStderr} from '../support/guest-stderr.js';
import {leftoversOf, nothing, useState} from '../support/vm-state.js';

const state = useState();
const folder = mkdtempSync(join(tmpdir(), 'agent-typescript-'));
afterAll(() => rmSync(folder, {recursive: true}));

const write = (name: string, lines: readonly string[]): string => {
  const path = join(folder, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
};

const util = write('util.ts', [
  "export enum Color { Red = 'red' }",
  'export const double = (n: number): number => n * 2;',
  'export default class Box<T> { constructor(public readonly value: T) {} }',
]);

const importing = [
  "import Box, {Color, double} from './util';",
  "import {double as again} from './util.js';",
  "import * as all from './util.ts';",
  'interface Shape { readonly sides: number }',
  'const square: Shape = {sides: 4};',
  "const said = [Color.Red, double(2), again(3), all.double(4), new Box<string>('x').value, square.sides];",
];

const temp = (args: readonly string[], input?: string): Promise<AgentResult> =>
  agent(['vm', 'temp', '--language', 'ts', ...args], {state, ...(input === undefined ? {} : {input})});

it('imports another staged file by each of its names, enums and default exports included', async () => {
  const main = write('plain.ts', [...importing, 'console.log(said.join());', 'console.log(typeof require);']);
  const result = await temp(['--file', main, '--file', util]);
  expect(guestStderr(result)).toBe('');
  expect(result.stdout.toString()).toBe('red,4,6,8,x,4\nfunction\n');
});

it('does so too where the program waits at its top level and asks for its own URL', async () => {
  const source = [...importing, 'console.log((await Promise.resolve(said)).join(), import.meta.url);'].join(
    '\n',
  );
  const result = await temp(['--file', util, '-'], source);
  expect(guestStderr(result)).toBe('');
  expect(result.stdout.toString()).toBe('red,4,6,8,x,4 file:///in/main.js\n');
});

it('names the line of the source in a stack trace', async () => {
  const main = write('fails.ts', [
    'interface Lost { readonly a: number;',
    '  readonly b: string }',
    'const fail = (what: Lost): never => {',
    "  throw new Error('on purpose: ' + what.b);",
    '};',
    "fail({a: 1, b: 'line four'});",
  ]);
  const result = await temp(['--file', main]);
  expect(result.code).toBe(1);
  expect(guestStderr(result)).toContain('Error: on purpose: line four');
  expect(guestStderr(result)).toMatch(/fails\.ts:4:/);
});

it('strips the types below a folder as well', async () => {
  const project = join(folder, 'project');
  mkdirSync(join(project, 'lib'), {recursive: true});
  writeFileSync(
    join(project, 'lib', 'add.ts'),
    'export const add = (a: number, b: number): number => a + b;\n',
  );
  writeFileSync(
    join(project, 'main.ts'),
    "import {add} from './lib/add';\nconsole.log(add(2, 3) as number);\n",
  );
  const result = await temp(['--file', project, '--cmd', 'node /in/project/main.js']);
  expect(guestStderr(result)).toBe('');
  expect(result.stdout.toString()).toBe('5\n');
});

it('refuses source that is not TypeScript before there is a VM', async () => {
  const results = await Promise.all([
    temp(['--code', 'const x: = 3;']),
    temp(['-'], 'let a = 1;\nlet b = (;\n'),
    temp(['--file', write('wrong.ts', ['enum {', '}'])]),
  ]);
  expect(results.map(({code}) => code)).toEqual([2, 2, 2]);
  expect(results.map(({events}) => events.map(({message, code}) => ({message, code})))).toEqual([
    [{message: 'main.ts:1:10: Unexpected "="', code: 'USAGE'}],
    [{message: 'main.ts:2:10: Unexpected ";"', code: 'USAGE'}],
    [{message: 'wrong.ts:1:6: Expected identifier but found "{"', code: 'USAGE'}],
  ]);
  expect(await leftoversOf(state)).toEqual(nothing);
});
