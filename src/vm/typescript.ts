/**
 * TypeScript as JavaScript that Node 20 runs. Types are dropped, not checked. What was `x.ts` is staged as `x.js`, and
 * under its own name for those who import or run it so.
 */
import {basename} from 'node:path';
import {usageError} from '../model/errors.js';

export interface TypescriptSource {
  /** For messages and stack traces. */
  readonly name: string;
  readonly text: string;
}

const common = {target: 'node20', sourcemap: 'inline', sourcesContent: false, logLevel: 'silent'} as const;

/**
 * The sources of one program in the same order: all of them CommonJS, which knows `require` and `__dirname` and finds
 * `./x` without an extension; or, where one uses what CommonJS lacks (top-level await, import.meta), all of them ES
 * modules, since the two kinds see each other's default exports differently. Throws USAGE on a syntax error.
 */
export const stripTypes = async (sources: readonly TypescriptSource[]): Promise<string[]> => {
  const scripts = await Promise.all(sources.map(toCommonJs));
  const isComplete = (script: string | undefined): script is string => script !== undefined;
  return scripts.every(isComplete) ? scripts : await Promise.all(sources.map(toModule));
};

/** Undefined where the source needs to be a module. */
const toCommonJs = async ({name, text}: TypescriptSource): Promise<string | undefined> => {
  const {transform} = await import('esbuild');
  try {
    const result = await transform(text, {
      ...common,
      loader: 'ts',
      format: 'cjs',
      sourcefile: basename(name),
    });
    const usesImportMeta = result.warnings.some((warning) => warning.id === 'empty-import-meta');
    return usesImportMeta ? undefined : result.code;
  } catch (error) {
    if (/top-level await/i.test(String(error))) return undefined;
    throw syntaxError(error, name);
  }
};

/** Modules must name files exactly, so that `./x` and `./x.ts` become `./x.js`. */
const toModule = async ({name, text}: TypescriptSource): Promise<string> => {
  const {build} = await import('esbuild');
  try {
    const {outputFiles} = await build({
      ...common,
      stdin: {contents: text, sourcefile: basename(name), loader: 'ts'},
      format: 'esm',
      platform: 'node',
      write: false,
      // Only a bundler looks at the names of imports; nothing is bundled.
      bundle: true,
      treeShaking: false,
      plugins: [
        {
          name: 'exact-names',
          setup: ({onResolve}) => {
            onResolve({filter: /.*/}, ({path, kind}) =>
              kind === 'entry-point' ? undefined : {path: exactName(path), external: true},
            );
          },
        },
      ],
    });
    return outputFiles[0]?.text ?? '';
  } catch (error) {
    throw syntaxError(error, name);
  }
};

const exactName = (path: string): string => {
  if (!/^\.\.?\//.test(path)) return path;
  if (path.endsWith('.ts')) return path.replace(/\.ts$/, '.js');
  return /\.(?:[cm]?js|json|node|wasm)$/.test(path) ? path : `${path}.js`;
};

const syntaxError = (error: unknown, name: string): unknown => {
  const first = isTransformFailure(error) ? error.errors[0] : undefined;
  if (!first) return error;
  const place = first.location ? `${name}:${first.location.line}:${first.location.column + 1}` : name;
  return usageError(`${place}: ${first.text}`, 'mend the TypeScript source; nothing was run');
};

interface TransformMessage {
  readonly text: string;
  readonly location: {readonly line: number; readonly column: number} | null;
}

const isTransformFailure = (error: unknown): error is {readonly errors: readonly TransformMessage[]} =>
  error instanceof Error && 'errors' in error && Array.isArray(error.errors);
