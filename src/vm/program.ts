/** What a VM is asked to run, and how the guest is told. */
import {basename, resolve} from 'node:path';
import {usageError} from '../model/errors.js';
import {type Language, type LanguageName, languageOf} from '../model/language.js';

export type Program =
  /** For `/bin/sh -c`, or source where the shell cannot parse it at all. */
  | {readonly kind: 'command'; readonly text: string}
  | {readonly kind: 'source'; readonly source: Buffer}
  /** A file that `--file` put into /in. */
  | {readonly kind: 'file'; readonly path: string};

export interface ProgramRequest {
  readonly cmd?: string | undefined;
  readonly code?: string | undefined;
  readonly hello?: boolean | undefined;
  /** Source that came on standard input. */
  readonly stdinSource?: Buffer | undefined;
  readonly files: readonly string[];
}

/** The one program a command line asks for; throws USAGE where it asks for none or for several. */
export const chooseProgram = (request: ProgramRequest): ((language: LanguageName | null) => Program) => {
  const {cmd, code, hello, stdinSource, files} = request;
  const asked = [cmd !== undefined, code !== undefined, hello === true, stdinSource !== undefined];
  const count = asked.filter(Boolean).length;
  const [firstFile] = files;
  const mayBeStdin = 'stdinSource' in request;
  if (count > 1) throw usageError('Only one of --cmd, --code, --hello and - can be given.', 'choose one');
  if (count === 0 && firstFile === undefined) {
    throw usageError(
      'There is nothing to run.',
      `give --cmd "COMMAND", --code SOURCE, --file PROGRAM or --hello${mayBeStdin ? ', or - for source on stdin' : ''}`,
    );
  }
  if (cmd !== undefined) return () => ({kind: 'command', text: nonEmpty(cmd, '--cmd')});
  if (code !== undefined)
    return (language) => needLanguage(language, '--code', {kind: 'source', source: Buffer.from(code)});
  if (stdinSource) return (language) => needLanguage(language, '-', {kind: 'source', source: stdinSource});
  if (hello) {
    return (language) => {
      const program = {
        kind: 'source',
        source: Buffer.from(language ? languageOf(language).hello : ''),
      } as const;
      return needLanguage(language, '--hello', program);
    };
  }
  return (language) => needLanguage(language, '--file without --cmd', {kind: 'file', path: firstFile ?? ''});
};

const nonEmpty = (text: string, flag: string): string => {
  if (text.trim() === '')
    throw usageError(`${flag} is empty.`, `give ${flag} a command, for example ${flag} "uname -a"`);
  if (text.includes('\0'))
    throw usageError(`${flag} holds a NUL byte.`, 'pass binary data on stdin or with --file');
  return text;
};

const needLanguage = (language: LanguageName | null, flag: string, program: Program): Program => {
  if (language) return program;
  throw usageError(
    `${flag} needs a language, and this VM has none.`,
    'create it with --language, or use --cmd',
  );
};

/** The name of the file that source goes to, beside what --file brings, so that it can import it. */
export const sourceName = (language: Language, files: readonly string[]): string => {
  const taken = new Set(files.map((file) => basename(resolve(file))));
  const names = Array.from(
    {length: taken.size + 1},
    (_, n) => `main${n === 0 ? '' : `-${n}`}.${language.extension}`,
  );
  return names.find((name) => !taken.has(name)) ?? `main.${language.extension}`;
};
