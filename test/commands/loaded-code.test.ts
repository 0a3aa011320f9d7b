/** What a process loads before it does anything: it costs each command its time, and each running VM its monitor's memory. */
import {readdirSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {build, type Metafile} from 'esbuild';
import {beforeAll, describe, expect, it} from 'vitest';

const COMMANDS = readdirSync('src/commands', {recursive: true, encoding: 'utf8'})
  .filter((name) => name.endsWith('.ts'))
  .map((name) => `src/commands/${name}`);
const QUICK = ['src/commands/vm/exec.ts', 'src/commands/vm/list.ts'];
const MONITOR = 'src/monitor-main.ts';

let inputs: Metafile['inputs'] = {};
beforeAll(async () => {
  const {metafile} = await build({
    absWorkingDir: fileURLToPath(new URL('../..', import.meta.url)),
    entryPoints: ['src/main.ts', ...COMMANDS, MONITOR],
    outdir: 'unwritten',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    external: ['lmdb', 'esbuild', 'typescript', 'ts-node', 'tsx'],
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  inputs = metafile.inputs;
});

/** All that comes with a file without being asked for later. */
const loadedWith = (entry: string): string[] => {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const {path: next, kind} of inputs[path]?.imports ?? []) if (kind !== 'dynamic-import') visit(next);
  };
  visit(entry);
  return [...seen];
};

const startingWith = (paths: readonly string[], ...folders: readonly string[]): string[] =>
  paths.filter((path) =>
    folders.some((folder) => path.startsWith(folder) || path.includes(`node_modules/${folder}/`)),
  );

describe('what is loaded at once', () => {
  it.each([...QUICK, MONITOR])('of %s is its state, and no launcher nor what makes images', (entry) => {
    const loaded = loadedWith(entry);
    expect(startingWith(loaded, 'src/state/')).toContain('src/state/vm-store.ts');
    expect(startingWith(loaded, 'src/launcher/', 'src/containers/', 'execa', 'smol-toml', 'esbuild')).toEqual(
      [],
    );
    expect(loaded).not.toContain('src/image/build-language.ts');
    expect(loaded).not.toContain('src/image/pull.ts');
  });

  it('of a monitor is no part of the command line', () => {
    expect(startingWith(loadedWith(MONITOR), 'src/commands/', 'src/render/', '@oclif', 'chalk')).toEqual([]);
    expect(startingWith(loadedWith('src/commands/vm/exec.ts'), '@oclif')).not.toEqual([]);
  });

  it.each(['src/main.ts', ...QUICK, MONITOR])(
    'of %s is neither the database, nor checks of files from packages',
    (entry) => {
      const loaded = loadedWith(entry);
      expect(loaded).toContain(entry);
      expect(startingWith(loaded, 'zod', 'lmdb', 'msgpackr')).toEqual([]);
      expect(loaded).not.toContain('lmdb');
    },
  );

  it('is never all of oclif at once, which looks up versions first, nor all of zod', () => {
    expect(COMMANDS.length).toBeGreaterThan(10);
    for (const entry of ['src/main.ts', ...COMMANDS, MONITOR]) {
      const loaded = loadedWith(entry);
      expect(loaded.filter((path) => /@oclif\/core\/lib\/index\.js|zod\/v4\/classic\//.test(path))).toEqual(
        [],
      );
    }
  });
});
