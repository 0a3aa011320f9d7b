/** Where images lie on disk, and how a reference and a digest become file names. Pure. */
import {createHash} from 'node:crypto';
import {join} from 'node:path';

export const ROOTFS_FILE = 'rootfs.erofs';
export const RECORD_FILE = 'image.json';
const MAX_ESCAPED = 160;

export const imageFolder = (imagesFolder: string, digest: string): string =>
  join(imagesFolder, digest.replace(':', '-'));

export const rootfsPath = (imagesFolder: string, digest: string): string =>
  join(imageFolder(imagesFolder, digest), ROOTFS_FILE);

export const recordPath = (imagesFolder: string, digest: string): string =>
  join(imageFolder(imagesFolder, digest), RECORD_FILE);

export const refsFolder = (imagesFolder: string): string => join(imagesFolder, 'refs');

/** The digest that a folder is named after, or undefined where it is no image's folder. */
export const digestOfFolder = (name: string): string | undefined =>
  /^sha256-[0-9a-f]{64}$/.test(name) ? name.replace('-', ':') : undefined;

/** The file of a reference: readable, and short enough for any file system. */
export const refPath = (imagesFolder: string, reference: string): string => {
  const escaped = reference.replace(
    /[^A-Za-z0-9._-]/g,
    (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  const name =
    escaped.length <= MAX_ESCAPED
      ? escaped
      : `${escaped.slice(0, MAX_ESCAPED)}-${createHash('sha256').update(reference).digest('hex').slice(0, 16)}`;
  return join(refsFolder(imagesFolder), `${name}.json`);
};
