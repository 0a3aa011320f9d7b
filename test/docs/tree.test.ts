import {existsSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {describe, expect, it} from 'vitest';
import {documents, inlineCode, read, trackedFiles} from './documents.js';

const MAX_LINES = 300;

/** `src/vm/lifecycle.ts`, `test/vm`, `README.md`: what can only be a path of this repository. */
const isOwnPath = (code: string): boolean =>
  /^(?:src|test|guest|docs|scripts|bin|\.ci)\/[\w./-]*$/.test(code) ||
  /^[\w.-]+\.(?:md|json|cjs)$/.test(code);

/** Made by the build, or by the program in its state directory, or standing for a name to be chosen. */
const isMade = (path: string): boolean => /^(?:oclif\.manifest|image|run)\.json$|\/[A-Z]+\//.test(path);

describe.each(documents)('%s', (document) => {
  const text = read(document);

  it('names files and folders that exist', () => {
    const named = inlineCode(text).filter((code) => isOwnPath(code) && !isMade(code));
    expect(named.filter((path) => !existsSync(path))).toEqual([]);
  });

  it('has links that lead somewhere', () => {
    const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link = '']) => link);
    const missing = links.filter(
      (link) => !/^https:/.test(link) && !existsSync(join(dirname(document), link)),
    );
    expect(missing).toEqual([]);
  });
});

describe('the sources', () => {
  const sources = trackedFiles.filter((path) => /^(?:src|test|guest|scripts|bin|\.ci)\//.test(path));

  it('name documents that exist', () => {
    const named = sources.flatMap((path) => read(path).match(/\bdocs\/[\w/-]+\.md\b/g) ?? []);
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((path) => !existsSync(path))).toEqual([]);
  });

  it(`have no file of more than ${MAX_LINES} lines`, () => {
    const long = sources
      .filter((path) => /\.(?:ts|mjs|js|c|h)$/.test(path))
      .map((path) => `${path}: ${read(path).split('\n').length - 1} lines`)
      .filter((line) => Number(/: (\d+) lines$/.exec(line)?.[1]) > MAX_LINES);
    expect(long).toEqual([]);
  });
});

it('no file names a place on the machine of who made it', () => {
  const here = resolve('.');
  const texts = trackedFiles.filter((path) => path !== 'package-lock.json');
  // A clone in a folder as short as /src would be found everywhere.
  const places = [...(here.split('/').length > 2 ? [here] : [])];
  const own = texts.filter((path) => places.some((place) => read(path).includes(place)));
  const homes = texts.filter(
    (path) => !path.startsWith('test/') && /\/(?:home|Users)\/[a-z]/.test(read(path)),
  );
  expect([...own, ...homes]).toEqual([]);
});
