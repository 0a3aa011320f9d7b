/** Puts files and source code into the guest before a command, and brings /out back after it. */
import {readdir, readFile, stat} from 'node:fs/promises';
import {basename, dirname, extname, join} from 'node:path';
import type {Guest, TransferLimits} from '../guest/guest.js';
import {packFiles, packSource} from '../guest/tar-pack.js';
import {unpackTo} from '../guest/tar-unpack.js';
import {AgentError, toAgentError} from '../model/errors.js';
import {type Language, type LanguageName, languageOf} from '../model/language.js';
import type {OutCount} from '../model/run-report.js';
import {type Program, sourceName} from './program.js';
import {stripTypes} from './typescript.js';

export const fileLimits: TransferLimits = {maxBytes: 2 * 1024 ** 3, maxEntries: 100_000};
const outLimits: TransferLimits = {maxBytes: 1024 ** 3, maxEntries: 100_000};
const MAX_TYPESCRIPT_FILES = 1_000;

interface StageOptions {
  readonly guest: Guest;
  readonly files: readonly string[];
  readonly language: LanguageName | null;
  readonly user: string;
}

/** Copies files and folders of the host into /in, TypeScript among them stripped where that is the VM's language. */
export const stageFiles = async ({guest, files, language, user}: StageOptions): Promise<void> => {
  if (files.length === 0) return;
  const typescript = language === 'typescript' ? await stripFiles(files) : [];
  await guest.put('/in', packFiles(files, fileLimits), {...fileLimits, user});
  for (const {folder, name, content} of typescript) {
    await guest.put(join('/in', folder), packSource({name, content}), {...fileLimits, user});
  }
};

interface StrippedFile {
  /** Below /in. */
  readonly folder: string;
  readonly name: string;
  readonly content: Buffer;
}

/** Each `x.ts` becomes JavaScript under its own name and, for those who import it so, as `x.js`. */
const stripFiles = async (files: readonly string[]): Promise<StrippedFile[]> => {
  const stripped: StrippedFile[] = [];
  for (const file of files) {
    for (const path of await typescriptBelow(file)) {
      const content = Buffer.from(await stripTypes(await readFile(path, 'utf8'), basename(path)));
      const folder = dirname(join(basename(file), path.slice(file.length)));
      const name = basename(path);
      stripped.push({folder, name, content}, {folder, name: `${basename(path, '.ts')}.js`, content});
    }
  }
  return stripped;
};

const typescriptBelow = async (path: string): Promise<string[]> => {
  const found = await stat(path);
  if (found.isFile()) return extname(path) === '.ts' ? [path] : [];
  const names = await readdir(path, {recursive: true});
  const sources = names.filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.d.ts') && !name.includes('node_modules'),
  );
  return sources.slice(0, MAX_TYPESCRIPT_FILES).map((name) => join(path, name));
};

/** Puts the program's source beside the files, if it has any, and returns the argv that runs the program. */
export const stageProgram = async (
  {guest, files, language, user}: StageOptions,
  program: Exclude<Program, {kind: 'command'}>,
): Promise<readonly string[]> => {
  if (!language) throw new AgentError('INTERNAL', 'a program without a language');
  const spoken = languageOf(language);
  if (program.kind === 'file') return runScript(spoken, join('/in', basename(program.path)));
  const name = sourceName(spoken, files);
  for (const file of await sourceFiles(spoken, name, program.source)) {
    await guest.put('/in', packSource(file), {...fileLimits, user});
  }
  return runScript(spoken, join('/in', name));
};

const sourceFiles = async (
  language: Language,
  name: string,
  source: Buffer,
): Promise<{readonly name: string; readonly content: Buffer}[]> => {
  if (language.name !== 'typescript') return [{name, content: source}];
  const content = Buffer.from(await stripTypes(source.toString('utf8'), name));
  return [{name: `${basename(name, '.ts')}.js`, content}];
};

const runScript = (language: Language, path: string): readonly string[] =>
  language.name === 'typescript'
    ? ['node', '--enable-source-maps', path.replace(/\.ts$/, '.js')]
    : language.run(path);

/** Brings /out to `folder` on the host, whole or not at all. */
export const collectOut = async (guest: Guest, folder: string): Promise<OutCount> => {
  try {
    return await unpackTo(folder, guest.get('/out', outLimits), outLimits);
  } catch (error) {
    const cause = toAgentError(error);
    throw new AgentError('GUEST_FAILED', 'The files in /out could not be brought to the host.', {
      cause,
      details: [cause.message, ...cause.details],
      hints: ['the command itself has run; what it printed is complete'],
    });
  }
};
