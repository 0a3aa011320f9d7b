/** Takes references and images out of the store. */
import {rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {makeTempFolder} from '../containers/temp-folder.js';
import {AgentError} from '../model/errors.js';
import {candidateReferences, findDigest, readCatalog} from './catalog.js';
import type {RemovedImage, RemoveOptions} from './image-store.js';
import {imageFolder, refPath} from './layout.js';

/** To be called under the lock `images`. */
export const removeImage = async (imagesFolder: string, options: RemoveOptions): Promise<RemovedImage> => {
  const {reference: wanted, usedBy} = options;
  const catalog = readCatalog(imagesFolder);
  const digest = findDigest(catalog, wanted);
  if (digest === undefined) {
    throw new AgentError('IMAGE_NOT_FOUND', `There is no image '${wanted}' here.`, {
      hints: ['run: agent image list'],
    });
  }
  const all = catalog.refs.filter((ref) => ref.digest === digest).map(({reference}) => reference);
  const named = candidateReferences(wanted).find((name) => all.includes(name));
  const untagged = named === undefined ? all : [named];
  const isLast = untagged.length === all.length;
  if (isLast) refuseUsed({wanted, users: await usedBy(digest)});
  // References first: a crash in between leaves an image without a name, never a name without an image.
  for (const reference of untagged) await rm(refPath(imagesFolder, reference), {force: true});
  if (isLast) await removeFolder(imagesFolder, digest);
  return {untagged, deletedDigest: isLast ? digest : null};
};

/** Removes the images that no reference leads to and nobody uses. To be called under the lock `images`. */
export const pruneImages = async (
  imagesFolder: string,
  usedBy: RemoveOptions['usedBy'],
): Promise<readonly string[]> => {
  const {images, broken} = readCatalog(imagesFolder);
  const nameless = [...images, ...broken].filter(({references}) => references.length === 0);
  const removed: string[] = [];
  for (const {digest} of nameless) {
    if ((await usedBy(digest)).length > 0) continue;
    await removeFolder(imagesFolder, digest);
    removed.push(digest);
  }
  return removed;
};

const refuseUsed = ({wanted, users}: {wanted: string; users: readonly string[]}): void => {
  if (users.length === 0) return;
  throw new AgentError('IMAGE_IN_USE', `The image '${wanted}' is used by ${users.join(', ')}.`, {
    hints: users.map((id) => `remove the VM first: agent vm clean --vm ${id}`).slice(0, 3),
  });
};

// Out of sight in one step, then gone.
const removeFolder = async (imagesFolder: string, digest: string): Promise<void> => {
  const bin = await makeTempFolder(imagesFolder);
  await rename(imageFolder(imagesFolder, digest), join(bin, 'removed')).catch(ignoreMissing);
  await rm(bin, {recursive: true, force: true});
};

const ignoreMissing = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'ENOENT') throw error;
};
