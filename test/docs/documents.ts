/** The documents as data: what is in their code blocks, their tables and between their backticks. */
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';

/** Everything that git knows and that is still there. */
export const trackedFiles = execFileSync('git', ['ls-files', '-z'], {encoding: 'utf8'})
  .split('\0')
  .filter((path) => path !== '' && existsSync(path));

export const documents = trackedFiles.filter((path) => path.endsWith('.md'));

export const read = (path: string): string => readFileSync(path, 'utf8');

/** The lines of the fenced blocks of one kind. */
export const blockLines = (text: string, kind: string): string[] =>
  [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, found]) => found === kind)
    .flatMap(([, , body = '']) => body.split('\n').filter((line) => line !== ''));

/** What stands between backticks, outside of blocks. */
export const inlineCode = (text: string): string[] =>
  [...text.replace(/^```.*?^```$/gms, '').matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);

/** Below one heading, up to the next of any level. */
export const section = (text: string, heading: string): string => {
  const [, after] = text.split(new RegExp(`^#+ ${heading}$`, 'm'));
  if (after === undefined) throw new Error(`no heading '${heading}'`);
  return after.split(/^#+ /m)[0] ?? '';
};

/** The rows of the tables in a text, without their heads; a cell keeps its backticks. */
export const tableRows = (text: string): string[][] =>
  [...text.matchAll(/^\|.*\n\|[-| ]+\|\n((?:\|.*\n)+)/gm)].flatMap(([, body = '']) =>
    body
      .trimEnd()
      .split('\n')
      .map((row) =>
        row
          .slice(1, -1)
          .split(/(?<!\\)\|/)
          .map((cell) => cell.trim()),
      ),
  );
