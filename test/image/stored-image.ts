/** A store in a temp folder with images whose root images are a few bytes. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {makeTempFolder} from '../../src/containers/temp-folder.js';
import {createImageStore, type ImageStoreOptions} from '../../src/image/create-image-store.js';
import type {ImageLimits, ImageStore} from '../../src/image/image-store.js';
import {ROOTFS_FILE} from '../../src/image/layout.js';
import {publishImage, publishReference} from '../../src/image/publish.js';
import type {RefRecord} from '../../src/image/record.js';

export interface TestStore {
  readonly root: string;
  readonly imagesFolder: string;
  readonly containersFolder: string;
  readonly store: ImageStore;
  readonly remove: () => Promise<void>;
}

export const createTestStore = async (
  limits?: ImageLimits,
  more: Partial<Pick<ImageStoreOptions, 'storageVolume' | 'env' | 'imagesFolder'>> = {},
): Promise<TestStore> => {
  const root = await mkdtemp(join(tmpdir(), 'agent-images-'));
  const [imagesFolder, containersFolder] = [join(root, 'images'), join(root, 'containers')];
  const store = createImageStore({
    imagesFolder,
    containersFolder,
    env: process.env,
    withLock: createLocks(),
    ...(limits ? {limits} : {}),
    ...more,
  });
  return {
    root,
    imagesFolder,
    containersFolder,
    store,
    remove: () => rm(root, {recursive: true, force: true}),
  };
};

/** Publishes an image whose root image is `content`; returns its digest. */
export const addImage = async (
  {imagesFolder}: Pick<TestStore, 'imagesFolder'>,
  image: {content: string; references: readonly string[]; language?: RefRecord['language']; digest?: string},
): Promise<string> => {
  const folder = await makeTempFolder(imagesFolder);
  await writeFile(join(folder, ROOTFS_FILE), image.content);
  const config = {env: [], workdir: '/', user: ''};
  const given = image.digest === undefined ? {} : {digest: image.digest};
  const digest = await publishImage({imagesFolder, folder, architecture: process.arch, config, ...given});
  await rm(folder, {recursive: true, force: true});
  for (const reference of image.references) {
    await publishReference({imagesFolder, reference, digest, language: image.language ?? null});
  }
  return digest;
};

// One at a time under a name, within this process.
const createLocks = () => {
  const tails = new Map<string, Promise<unknown>>();
  return async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const before = tails.get(name) ?? Promise.resolve();
    const mine = before.then(work, work);
    tails.set(
      name,
      mine.catch(() => undefined),
    );
    return await mine;
  };
};
