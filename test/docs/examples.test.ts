import {describe, expect, it} from 'vitest';
import {allFlags, commands, parse, problemOf} from './command-line.js';
import {blockLines, documents, inlineCode, read, trackedFiles} from './documents.js';
import {simpleCommands} from './shell-words.js';

/** How a clone calls the program, and how an installation does. */
const isAgent = (word: string | undefined): boolean => word === 'agent' || word === './bin/run.js';

const agentCommands = (lines: readonly string[]): string[][] =>
  lines
    .flatMap(simpleCommands)
    .filter(([program]) => isAgent(program))
    .map(([, ...words]) => words);

const problems = (all: readonly string[][]): string[] =>
  all.flatMap((words) => {
    const problem = problemOf(words);
    return problem === undefined ? [] : [`agent ${words.join(' ')}: ${problem}`];
  });

describe('the examples', () => {
  const inBlocks = documents.flatMap((path) => agentCommands(blockLines(read(path), 'sh')));

  it('of the documents that can be pasted are what the command line takes', async () => {
    expect(inBlocks.length).toBeGreaterThan(15);
    expect(problems(inBlocks)).toEqual([]);
    for (const words of inBlocks) await expect(parse(words), words.join(' ')).resolves.toBeUndefined();
  });

  it.each(documents)('between the lines of %s name commands and flags that exist', (path) => {
    const found = agentCommands(
      inlineCode(read(path)).filter((code) => /^(agent|\.\/bin\/run\.js) [a-z-]/.test(code)),
    );
    expect(problems(found)).toEqual([]);
  });

  it.each([...commands])('of agent %s --help are what the command line takes', async (name, command) => {
    const examples = (command.examples ?? []).map((example) =>
      typeof example === 'string' ? example : example.command,
    );
    const found = agentCommands(examples.map((line) => line.replace('<%= config.bin %>', 'agent')));
    expect(found.length).toBeGreaterThanOrEqual(2);
    expect(found.filter((words) => words.join(' ').startsWith(name))).toEqual(found);
    expect(problems(found)).toEqual([]);
    for (const words of found) await expect(parse(words), words.join(' ')).resolves.toBeUndefined();
  });

  it('in hints and messages name commands and flags that exist', () => {
    const sources = trackedFiles.filter((path) => /^(src|scripts)\//.test(path) && !path.endsWith('.md'));
    const mentions = sources.flatMap((path) => [
      ...read(path).matchAll(/\bagent ((?:vm|image|doctor|setup)\b[^'"`\\\n;,():]*)/g),
    ]);
    expect(mentions.length).toBeGreaterThan(20);
    const words = mentions.map(([, text = '']) =>
      text
        .replace(/\$\{[^}]*\}?/g, 'X')
        .trim()
        .split(/\s+/),
    );
    expect(
      problems(
        words.filter(([topic, verb]) => topic === 'doctor' || topic === 'setup' || /^[a-z]/.test(verb ?? '')),
      ),
    ).toEqual([]);
  });
});

describe('README', () => {
  const readme = read('README.md');

  it('names every command', () => {
    for (const name of commands.keys()) expect(readme).toContain(`agent ${name}`);
  });

  it('names no flag that is not there', () => {
    // Those of other programs.
    const others = new Set(['--global']);
    const named = inlineCode(readme).flatMap((code) =>
      code.startsWith('--') ? [code.split(/[\s=]/)[0] ?? ''] : [],
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((flag) => !allFlags.has(flag) && !others.has(flag))).toEqual([]);
  });
});
