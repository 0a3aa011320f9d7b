// @ts-check
/**
 * Bundles src/ into dist/: one entry per command and src/main.ts, at the paths that tsc would give, with shared chunks;
 * then writes oclif.manifest.json. Nothing in src/ may depend on being bundled.
 */
import {mkdirSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join, relative, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Plugin} from '@oclif/core';
import {build} from 'esbuild';
import {lazyRequires} from './build/lazy-requires.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Native, or loaded by name at run time; the last three would bring a whole compiler with them. */
const EXTERNAL = ['lmdb', 'esbuild', 'typescript', 'ts-node', 'tsx'];

/** CommonJS packages inside an ESM bundle expect these; each file that has them without need costs every command a little. */
const BANNER = `import {createRequire as __createRequire} from 'node:module';
import {fileURLToPath as __fileURLToPath} from 'node:url';
import {dirname as __pathDirname} from 'node:path';
const require = __createRequire(import.meta.url);
const __filename = __fileURLToPath(import.meta.url);
const __dirname = __pathDirname(__filename);
`;
const COMMON_JS = /\b(?:typeof require|require\.\w+|__filename|__dirname)\b/;

const bundle = async () => {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [
      'src/main.ts',
      'src/monitor-main.ts',
      'src/template-main.ts',
      ...sourcesUnder('src/commands'),
    ],
    outdir: 'dist',
    outbase: 'src',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: EXTERNAL,
    plugins: [lazyRequires],
    // Beside main.js, so that import.meta.url leads to the same folders as it does from there.
    chunkNames: '[name]-[hash]',
    write: false,
    logLevel: 'warning',
  });
  for (const {path, text} of result.outputFiles) {
    mkdirSync(dirname(path), {recursive: true});
    writeFileSync(path, COMMON_JS.test(text) ? `${BANNER}${text}` : text);
  }
  return result.outputFiles.map(({path}) => relative(root, path));
};

/**
 * @param {string} folder
 * @returns {string[]}
 */
const sourcesUnder = (folder) =>
  readdirSync(join(root, folder), {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)));

/**
 * Removes what an earlier build left. Only afterwards, so that a program that starts meanwhile finds its files.
 * @param {readonly string[]} outputs
 */
const removeStale = (outputs) => {
  const current = new Set(outputs);
  for (const entry of readdirSync(join(root, 'dist'), {recursive: true, withFileTypes: true})) {
    const path = relative(root, join(entry.parentPath ?? entry.path, entry.name));
    if (entry.isFile() && path.endsWith('.js') && !current.has(path)) rmSync(join(root, path));
  }
};

/** What `oclif manifest` does, without its 250 packages. */
const writeManifest = async () => {
  const plugin = new Plugin({
    errorOnManifestCreate: true,
    ignoreManifest: true,
    respectNoCacheDefault: true,
    root,
    type: 'core',
  });
  await plugin.load();
  const ids = Object.keys(plugin.manifest.commands);
  if (ids.length === 0) throw new Error('oclif found no command in dist/commands');
  writeFileSync(join(root, 'oclif.manifest.json'), `${JSON.stringify(plugin.manifest, null, 2)}\n`);
  return ids.length;
};

const outputs = await bundle();
removeStale(outputs);
const commands = await writeManifest();
console.log(`dist/: ${outputs.length} files, ${commands} commands`);
