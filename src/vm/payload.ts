/** Everything that goes into /in, made on the host before there is a VM: what cannot be used is refused then. */
import {readdir, readFile, stat} from 'node:fs/promises';
import {basename, extname, join, relative, resolve} from 'node:path';
import {checkFiles} from '../guest/check-files.js';
import type {TransferLimits} from '../guest/guest.js';
import {usageError} from '../model/errors.js';
import {type LanguageName, languageOf} from '../model/language.js';
import {type Program, sourceName} from './program.js';
import {stripTypes} from './typescript.js';

export const fileLimits: TransferLimits = {maxBytes: 2 * 1024 ** 3, maxEntries: 100_000};
const MAX_SCRIPTS = 10_000;

export interface Payload {
  readonly program: Program;
  readonly language: LanguageName | null;
  /** Files and folders of the host, copied as they are. */
  readonly files: readonly string[];
  /** What is written over and beside them. */
  readonly made: readonly MadeFile[];
  /** argv that runs the program; null for one that is left to the shell. */
  readonly argv: readonly string[] | null;
}

export interface MadeFile {
  /** Its path below /in. */
  readonly name: string;
  readonly content: Buffer;
}

export interface PayloadRequest {
  readonly program: Program;
  readonly language: LanguageName | null;
  readonly files: readonly string[];
}

/** Throws USAGE for files that cannot be copied and for TypeScript that cannot be parsed. */
export const preparePayload = async ({program, language, files}: PayloadRequest): Promise<Payload> => {
  await checkFiles(files, fileLimits);
  if (program.kind === 'file') await checkProgramFile(program.path);
  const spoken = language && languageOf(language);
  const name = spoken ? sourceName(spoken, files) : '';
  const source: MadeFile[] = program.kind === 'source' ? [{name, content: program.source}] : [];
  return {
    program,
    language,
    files,
    made: language === 'typescript' ? await strip([...source, ...(await scriptsOf(files))]) : source,
    argv: spoken && argvFor(program, (path) => spoken.run(path), name),
  };
};

const checkProgramFile = async (path: string): Promise<void> => {
  const found = await stat(path);
  if (!found.isDirectory()) return;
  throw usageError(
    `'${path}' is a folder, so it cannot be run as the program.`,
    'say what to run: --cmd "COMMAND", or name the program’s file first',
  );
};

const argvFor = (
  program: Program,
  run: (path: string) => readonly string[],
  sourceFile: string,
): readonly string[] | null => {
  if (program.kind === 'command') return null;
  return run(join('/in', program.kind === 'file' ? basename(resolve(program.path)) : sourceFile));
};

const strip = async (scripts: readonly MadeFile[]): Promise<MadeFile[]> => {
  const sources = scripts.map(({name, content}) => ({name, text: content.toString('utf8')}));
  const stripped = await stripTypes(sources);
  return scripts.flatMap(({name}, index) => {
    const content = Buffer.from(stripped[index] ?? '');
    return [
      {name, content},
      {name: name.replace(/\.ts$/, '.js'), content},
    ];
  });
};

/** The TypeScript among the files; links are left alone, as they are copied as links. */
const scriptsOf = async (files: readonly string[]): Promise<MadeFile[]> => {
  const paths = (await Promise.all(files.map(scriptPaths))).flat();
  if (paths.length > MAX_SCRIPTS) {
    throw usageError(
      `There are ${paths.length} TypeScript files, and ${MAX_SCRIPTS} at most are stripped.`,
      'name fewer of them with --file',
    );
  }
  return await Promise.all(paths.map(readScript));
};

/** A file below one that --file names, or that one itself. */
interface ScriptPath {
  readonly top: string;
  readonly path: string;
}

const scriptPaths = async (file: string): Promise<ScriptPath[]> => {
  const top = resolve(file);
  const found = await stat(top);
  if (found.isFile()) return extname(top) === '.ts' ? [{top, path: top}] : [];
  const entries = await readdir(top, {recursive: true, withFileTypes: true});
  return entries
    .filter((entry) => entry.isFile() && isScript(entry.name))
    .map((entry) => ({top, path: join(entry.parentPath, entry.name)}))
    .filter(({path}) => !relative(top, path).split('/').includes('node_modules'));
};

const isScript = (name: string): boolean => name.endsWith('.ts') && !name.endsWith('.d.ts');

const readScript = async ({top, path}: ScriptPath): Promise<MadeFile> => ({
  name: join(basename(top), relative(top, path)),
  content: await readFile(path),
});
