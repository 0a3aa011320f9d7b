/** Takes references and images out of the store. */
import {rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {makeTempFolder} from '../containers/temp-folder.js';
import {AgentError} from '../model/errors.js';
import {storageName} from '../model/guest-image.js';
import {type Catalog, candidateReferences, findDigest, readCatalog} from './catalog.js';
import type {BuildahStorage, ImageHost} from './image-host.js';
import type {RemovedImage, RemoveOptions} from './image-store.js';
import {imageFolder, refPath} from './layout.js';
import {withVolume} from './volume.js';
import {untagStored} from './volume-images.js';

/** To be called under the lock `images`. */
export const removeImage = async (host: ImageHost, options: RemoveOptions): Promise<RemovedImage> => {
  const {imagesFolder} = host;
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
  return await withVolumeFor(host, {catalog, digests: isLast ? [digest] : []}, async (volume) => {
    // References first: a crash in between leaves an image without a name, never a name without an image.
    for (const reference of untagged) await rm(refPath(imagesFolder, reference), {force: true});
    if (!isLast) return {untagged, deletedDigest: null};
    if (await deleteImage({host, volume, digest})) return {untagged, deletedDigest: digest};
    options.onWarning?.(
      `a container in buildah's storage uses the image: when it is gone, agent image remove ${digest.slice(7, 19)}`,
    );
    return {untagged, deletedDigest: null};
  });
};

/** Removes the images that no reference leads to and nobody uses. To be called under the lock `images`. */
export const pruneImages = async (
  host: ImageHost,
  usedBy: RemoveOptions['usedBy'],
): Promise<readonly string[]> => {
  const catalog = readCatalog(host.imagesFolder);
  const nameless = [...catalog.images, ...catalog.broken].filter(({references}) => references.length === 0);
  const unused: string[] = [];
  for (const {digest} of nameless) if ((await usedBy(digest)).length === 0) unused.push(digest);
  return await withVolumeFor(host, {catalog, digests: unused}, async (volume) => {
    const removed: string[] = [];
    for (const digest of unused) if (await deleteImage({host, volume, digest})) removed.push(digest);
    return removed;
  });
};

const refuseUsed = ({wanted, users}: {wanted: string; users: readonly string[]}): void => {
  if (users.length === 0) return;
  throw new AgentError('IMAGE_IN_USE', `The image '${wanted}' is used by ${users.join(', ')}.`, {
    hints: users.map((id) => `remove the VM first: agent vm clean --vm ${id}`).slice(0, 3),
  });
};

/** The volume if one of these images may be in it; where it cannot be had, nothing is begun. */
const withVolumeFor = async <T>(
  host: ImageHost,
  {catalog, digests}: {readonly catalog: Catalog; readonly digests: readonly string[]},
  work: (volume: BuildahStorage | null) => Promise<T>,
): Promise<T> => {
  const isFile = (digest: string): boolean =>
    catalog.images.some((image) => image.digest === digest && image.rootfsPath !== null);
  const needsVolume = host.storageVolume !== null && digests.some((digest) => !isFile(digest));
  return needsVolume ? await withVolume(host, {}, work) : await work(null);
};

/** False where a container of somebody's still uses the image: then it stays as it is. */
const deleteImage = async (image: {
  readonly host: ImageHost;
  readonly volume: BuildahStorage | null;
  readonly digest: string;
}): Promise<boolean> => {
  const {host, volume, digest} = image;
  const step = {timeoutMs: host.limits.stepMs};
  if (volume && (await untagStored(volume, storageName({digest}), step)) === 'in use') return false;
  await removeFolder(host.imagesFolder, digest);
  return true;
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
