/** The command line as its classes declare it, to hold examples against. */
import {readFileSync} from 'node:fs';
import {type Command, Parser} from '@oclif/core';
import {trackedFiles} from './documents.js';

type CommandClass = typeof Command;

const sources = trackedFiles.filter((path) => /^src\/commands\/.*\.ts$/.test(path));

/** By what one types: `vm list`. */
export const commands: ReadonlyMap<string, CommandClass> = new Map(
  await Promise.all(
    sources.map(async (path): Promise<[string, CommandClass]> => {
      const {default: command} = await import(`../../${path}`);
      return [path.replace(/^src\/commands\/|\.ts$/g, '').replaceAll('/', ' '), command];
    }),
  ),
);

const packageJson = JSON.parse(readFileSync('package.json', 'utf8'));
const plugins: string[] = packageJson.oclif.plugins.map((name: string) => name.replace('@oclif/plugin-', ''));

/** Every long flag of any command, with its two dashes. */
export const allFlags: ReadonlySet<string> = new Set([
  '--help',
  '--version',
  ...[...commands.values()].flatMap((command) => Object.keys(flagsOf(command)).map((name) => `--${name}`)),
]);

function flagsOf(command: CommandClass) {
  return {...command.baseFlags, ...command.flags};
}

/** What is wrong with the words after `agent`, or undefined. Values are not looked at: they may stand for others. */
export const problemOf = (words: readonly string[]): string | undefined => {
  const found = commandOf(words);
  if (found === undefined) return isKnownWithoutClass(words) ? undefined : 'no such command';
  const known = flagsOf(found.command);
  const unknown = found.argv
    .filter((word) => /^--?[a-z]/.test(word))
    .map((word) => word.replace(/=.*/, ''))
    .find((flag) => flag !== '--help' && !isFlag(known, flag));
  return unknown === undefined ? undefined : `no flag ${unknown}`;
};

const isFlag = (known: ReturnType<typeof flagsOf>, flag: string): boolean =>
  Object.entries(known).some(
    ([name, {char, ...rest}]) =>
      flag === `--${name}` ||
      flag === `-${char}` ||
      ('allowNo' in rest && rest.allowNo && flag === `--no-${name}`),
  );

/** Throws where the command line itself would refuse these words. */
export const parse = async (words: readonly string[]): Promise<void> => {
  const found = commandOf(words);
  if (found === undefined) return;
  const {command, argv} = found;
  const {args, strict} = command;
  await Parser.parse([...argv], {flags: flagsOf(command), args, strict});
};

const commandOf = (
  words: readonly string[],
): {command: CommandClass; argv: readonly string[]} | undefined => {
  for (const length of [2, 1]) {
    const command = commands.get(words.slice(0, length).join(' '));
    if (command !== undefined) return {command, argv: words.slice(length)};
  }
  return undefined;
};

const isKnownWithoutClass = ([first = '']: readonly string[]): boolean =>
  first === '' || first === '--help' || first === '--version' || plugins.includes(first);
