/** Puts finished images and references into the store: whole, or not at all. */
import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {chmod, mkdir, open, rename, rm, stat, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {makeTempFolder} from '../containers/temp-folder.js';
import type {ImageConfig} from '../model/guest-image.js';
import {readCatalog} from './catalog.js';
import {imageFolder, RECORD_FILE, ROOTFS_FILE, refPath, refsFolder} from './layout.js';
import type {ImageRecord, RefRecord} from './record.js';

export interface NewImage {
  readonly imagesFolder: string;
  /** A temp folder in the images folder that holds the root image; it is renamed into place. */
  readonly folder: string;
  /** Without it the root image's own digest. */
  readonly digest?: string;
  readonly architecture: string;
  readonly config: ImageConfig;
}

/**
 * Gives the folder its record and its final name, and returns the digest. An image that is there already is kept, and
 * the folder is left to its maker to remove.
 */
export const publishImage = async (image: NewImage): Promise<string> => {
  const {imagesFolder, folder, architecture, config} = image;
  const rootfs = join(folder, ROOTFS_FILE);
  const digest = image.digest ?? (await digestOf(rootfs));
  await chmod(rootfs, 0o600);
  await flush(rootfs);
  const {size: sizeBytes} = await stat(rootfs);
  await publishRecord({imagesFolder, folder, kind: 'erofs', digest, architecture, sizeBytes, config});
  return digest;
};

/** Publishes an image that is in buildah's storage under its `storageName`. */
export const publishStored = async (image: Omit<NewRecord, 'folder' | 'kind'>): Promise<void> => {
  const folder = await makeTempFolder(image.imagesFolder);
  try {
    await publishRecord({...image, folder, kind: 'storage'});
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
};

/** Makes a reference lead to a digest, wherever it led before. */
export const publishReference = async (options: {
  imagesFolder: string;
  reference: string;
  digest: string;
  language: RefRecord['language'];
}): Promise<void> => {
  const {imagesFolder, reference, digest, language} = options;
  await mkdir(refsFolder(imagesFolder), {recursive: true, mode: 0o700});
  const record: RefRecord = {schema: 1, reference, digest, language, createdAt: new Date().toISOString()};
  await writePrivate(refPath(imagesFolder, reference), record);
};

type NewRecord = Pick<NewImage, 'imagesFolder' | 'folder'> & Omit<ImageRecord, 'schema' | 'createdAt'>;

const publishRecord = async ({imagesFolder, folder, ...image}: NewRecord): Promise<void> => {
  const record: ImageRecord = {schema: 1, ...image, createdAt: new Date().toISOString()};
  await writePrivate(join(folder, RECORD_FILE), record);
  await moveIntoPlace({imagesFolder, folder, digest: image.digest});
};

// A damaged image of this digest makes way; a whole one stays, since VMs may be using it.
const moveIntoPlace = async (image: {
  imagesFolder: string;
  folder: string;
  digest: string;
}): Promise<void> => {
  const {imagesFolder, folder, digest} = image;
  const place = imageFolder(imagesFolder, digest);
  const {images, broken} = readCatalog(imagesFolder);
  if (images.some((there) => there.digest === digest)) return;
  if (broken.some((there) => there.digest === digest)) await rename(place, join(folder, 'damaged'));
  await rename(folder, place);
  await rm(join(place, 'damaged'), {recursive: true, force: true});
};

const digestOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, {highWaterMark: 1024 * 1024}), hash);
  return `sha256:${hash.digest('hex')}`;
};

// The name must not become durable before the content.
const flush = async (path: string): Promise<void> => {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
};

const writePrivate = async (path: string, value: unknown): Promise<void> => {
  const fresh = join(dirname(path), `.${process.pid}-${Date.now()}.new`);
  await writeFile(fresh, `${JSON.stringify(value, null, 2)}\n`, {mode: 0o600, flag: 'wx', flush: true});
  await rename(fresh, path);
};
