/** What a process loads before it does anything: it costs each command its time, and each running VM its monitor's memory. */
import {fileURLToPath} from 'node:url';
import {build, type Metafile} from 'esbuild';
import {beforeAll, describe, expect, it} from 'vitest';

const COMMANDS = ['src/commands/vm/exec.ts', 'src/commands/vm/list.ts'];
const MONITOR = 'src/monitor-main.ts';

let inputs: Metafile['inputs'] = {};
beforeAll(async () => {
  const {metafile} = await build({
    absWorkingDir: fileURLToPath(new URL('../..', import.meta.url)),
    entryPoints: [...COMMANDS, MONITOR],
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
  it.each([...COMMANDS, MONITOR])('of %s is its state, and no launcher nor what makes images', (entry) => {
    const loaded = loadedWith(entry);
    expect(startingWith(loaded, 'src/state/', 'lmdb')).toContain('src/state/vm-store.ts');
    expect(loaded).toContain('lmdb');
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

  it('is never the whole of zod, which takes three times as much', () => {
    for (const entry of [...COMMANDS, MONITOR]) {
      expect(startingWith(loadedWith(entry), 'zod').length).toBeGreaterThan(0);
      expect(loadedWith(entry).filter((path) => path.includes('zod/v4/classic/'))).toEqual([]);
    }
  });
});
