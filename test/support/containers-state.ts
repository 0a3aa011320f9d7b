/** What krunvm and buildah keep of VMs in a state directory, as it lies on disk: asking buildah would cost seconds. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {StateFolder} from './agent.js';
import {namesIn} from './folders.js';

/** krunvm's registries; `none` is for what concerns no VM. */
export const registriesOf = (state: StateFolder): string[] =>
  namesIn(join(state.path, 'krunvm')).filter((name) => name !== 'none');

/** Containers, the images that belong to one VM, and layers that nothing uses. */
export const containersOf = (state: StateFolder): string[] => {
  const [containers, images, layers] = (['containers', 'images', 'layers'] as const).map((kind) =>
    entriesOf(state, kind),
  ) as [Entry[], Entry[], Entry[]];
  const used = new Set(
    [...containers, ...images, ...layers].flatMap(({layer, parent}) => layer ?? parent ?? []),
  );
  return [
    ...containers.flatMap(({names = ['a container without a name']}) => names),
    ...images.flatMap(({names = []}) => names).filter((name) => !name.startsWith('localhost/agent/')),
    ...layers.filter(({id}) => !used.has(id)).map(({id}) => `layer ${id}`),
  ];
};

interface Entry {
  readonly id: string;
  readonly names?: readonly string[];
  /** Of a container or an image. */
  readonly layer?: string;
  /** Of a layer. */
  readonly parent?: string;
}

const entriesOf = (state: StateFolder, kind: 'containers' | 'images' | 'layers'): Entry[] => {
  const storage = join(state.path, 'containers', 'storage');
  return namesIn(storage)
    .filter((name) => name.endsWith(`-${kind}`))
    .flatMap((name) => readEntries(join(storage, name, `${kind}.json`)));
};

const readEntries = (path: string): Entry[] => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Entry[];
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
};

/** Mounts of this machine that lie below the state directory or show something of it. */
export const mountsOf = (state: StateFolder): string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(state.path));
