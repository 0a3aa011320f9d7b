import {usageError} from '../model/errors.js';

/**
 * TypeScript as JavaScript that Node 20 runs under the same file name: CommonJS, or an ES module where the source uses
 * what CommonJS lacks (top-level await, import.meta). Types are dropped, not checked. Throws USAGE on a syntax error.
 */
export const stripTypes = async (source: string, name: string): Promise<string> => {
  const {transform} = await import('esbuild');
  const options = {
    loader: 'ts',
    target: 'node20',
    sourcefile: name,
    sourcemap: 'inline',
    sourcesContent: false,
  } as const;
  try {
    const result = await transform(source, {...options, format: 'cjs', logLevel: 'silent'});
    const usesImportMeta = result.warnings.some((warning) => warning.id === 'empty-import-meta');
    if (!usesImportMeta) return result.code;
  } catch (error) {
    if (!/top-level await/i.test(String(error))) throw syntaxError(error, name);
  }
  const result = await transform(source, {...options, format: 'esm', logLevel: 'silent'});
  return result.code;
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
