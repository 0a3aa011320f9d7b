/** A store that keeps its images in the real buildah's storage; a folder stands for the volume. */
import {execFile, execFileSync} from 'node:child_process';
import {mkdirSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {expect} from 'vitest';
import type {ImageLimits} from '../../src/image/image-store.js';
import type {GuestImage} from '../../src/model/guest-image.js';
import {silentProgress} from '../../src/model/progress.js';
import {processesNaming} from './pull-process.js';
import {createTestStore, type TestStore} from './stored-image.js';

export interface VolumeStore extends Omit<TestStore, 'remove'> {
  readonly volume: string;
  readonly pull: (reference: string, signal?: AbortSignal) => Promise<GuestImage>;
  readonly ensure: (reference: string) => Promise<GuestImage>;
  /** buildah with the volume's storage, as its user would call it; returns standard output. */
  readonly buildah: (...args: readonly string[]) => Promise<string>;
  /** Names of the images in the storage, sorted; an image without a name counts by its id. */
  readonly storedNames: () => Promise<string[]>;
  /** A file of a stored image. */
  readonly readStored: (name: string, path: string) => Promise<string>;
  /** That many images in the catalog, and no temp folder, no storage but the volume's, no process. */
  readonly expectTidy: (count: number) => void;
  /** Asserts that nothing is mounted. */
  readonly close: () => Promise<void>;
}

export const openVolumeStore = async (limits: ImageLimits): Promise<VolumeStore> => {
  const there = await createTestStore(limits, {storageVolume: async () => volume});
  const volume = join(there.root, 'a volume');
  mkdirSync(volume);
  const flags = [`--root=${volume}/root`, `--runroot=${volume}/runroot`];
  const env = {...process.env, CONTAINERS_STORAGE_CONF: join(there.containersFolder, 'storage.conf')};
  const work = () => ({progress: silentProgress, signal: new AbortController().signal});
  const runHere = async (file: string, ...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(file, args, {env})).stdout.trim();
  const buildah = (...args: readonly string[]) => runHere('buildah', ...flags, ...args);
  return {
    ...there,
    volume,
    buildah,
    pull: (reference, signal) => there.store.pull({...work(), ...(signal ? {signal} : {}), reference}),
    ensure: (reference) => there.store.ensure({...work(), reference}),
    storedNames: async () => {
      const listed = JSON.parse(await buildah('images', '--json', '--no-trunc')) as Listed[];
      return listed.flatMap(({id, names}) => (names?.length ? names : [id])).sort();
    },
    readStored: async (name, path) => {
      const container = await buildah('from', '--pull=never', name);
      const script = 'root=$(buildah "$1" "$2" mount "$3") && cat "$root/$4"';
      const words = ['-c', script, 'sh', ...flags, container, path];
      const content = await (isRoot
        ? runHere('sh', ...words)
        : runHere('buildah', 'unshare', 'sh', ...words));
      await buildah('rm', container);
      return content;
    },
    expectTidy: (count) => expectTidy(there, count),
    close: async () => {
      expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(there.root);
      // Without root, layers belong to the user's subordinate ids.
      if (!isRoot) execFileSync('buildah', ['unshare', 'rm', '-rf', volume]);
      await there.remove();
    },
  };
};

const isRoot = process.getuid?.() === 0;

interface Listed {
  readonly id: string;
  readonly names: readonly string[] | null;
}

const expectTidy = (there: TestStore, count: number): void => {
  const names = namesIn(there.imagesFolder).filter((name) => name !== 'refs');
  expect(names).toHaveLength(count);
  expect(names.filter((name) => !name.startsWith('sha256-'))).toEqual([]);
  expect(readdirSync(there.containersFolder).sort()).toEqual([
    'policy.json',
    'registries.conf',
    'storage.conf',
  ]);
  expect(processesNaming(there.root)).toEqual([]);
};

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return []; // nothing was ever pulled
  }
};
