// @ts-check
/**
 * Has oclif load each of its parts when that is first used. Its modules load all that they may ever need: help, spinners, the
 * search for plugins, templates.
 */
import {readFile} from 'node:fs/promises';

/** What TypeScript makes of `import x from 'y'` and `import {x} from 'y'`: every use of it is a field of `y_1`. */
const REQUIRE = /^const (\w+_\d+) = ((?:__import(?:Default|Star)\()?require\(["'][^"']+["']\)\)?);$/gm;

/** @type {import('esbuild').Plugin} */
export const lazyRequires = {
  name: 'lazy-requires',
  setup: (build) => {
    build.onLoad({filter: /node_modules\/@oclif\/core\/lib\/.*\.js$/}, async ({path}) => ({
      contents: deferRequires(await readFile(path, 'utf8')),
      loader: 'js',
    }));
  },
};

/** @param {string} source */
export const deferRequires = (source) => {
  const required = [...source.matchAll(REQUIRE)];
  if (required.length === 0) return source;
  const names = required.map(([, name]) => name);
  const getters = required.map(
    ([, name, load]) =>
      `get ${name}() { return Object.defineProperty(this, '${name}', {value: ${load}}).${name}; }`,
  );
  const uses = new RegExp(`(?<![\\w$.])(?:${names.join('|')})(?=\\.)`, 'g');
  return source
    .replace(REQUIRE, '')
    .replace(uses, 'lazy$.$&')
    .replace(/^"use strict";$/m, `"use strict"; const lazy$ = {${getters.join(', ')}};`);
};
