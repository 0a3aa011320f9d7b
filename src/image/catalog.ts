/** The images that are here: reads the folders, writes nothing, and lets no damaged entry hide the others. */
import {readdirSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {usageError} from '../model/errors.js';
import type {GuestImage} from '../model/guest-image.js';
import type {ImageLanguage} from '../model/language.js';
import {digestOfFolder, imageFolder, RECORD_FILE, recordPath, refsFolder, rootfsPath} from './layout.js';
import {type ImageRecord, type RefRecord, readImageRecord, readRefRecord} from './record.js';
import {parseReference} from './reference.js';

/** An image's folder that cannot be used, and why. `remove` takes its digest. */
export interface BrokenImage {
  readonly digest: string;
  readonly references: readonly string[];
  /** Absolute path. */
  readonly folder: string;
  readonly problem: string;
}

export interface Catalog {
  /** Newest first. */
  readonly images: readonly GuestImage[];
  readonly broken: readonly BrokenImage[];
  /** All references, also those whose image is gone or broken. */
  readonly refs: readonly RefRecord[];
}

export const readCatalog = (imagesFolder: string): Catalog => {
  const refs = readRefs(imagesFolder);
  const digests = namesIn(imagesFolder).flatMap((name) => digestOfFolder(name) ?? []);
  const entries = digests.map((digest) => readImage({imagesFolder, digest, refs}));
  return {
    images: entries
      .filter((entry) => 'rootfsPath' in entry)
      .sort((a, b) => b.createdAt.localeCompare(a.createdAt) || a.digest.localeCompare(b.digest)),
    broken: entries.filter((entry) => 'problem' in entry),
    refs,
  };
};

/** The image that a reference or the beginning of a digest means; a digest's beginning must be unambiguous. */
export const findImage = (catalog: Catalog, wanted: string): GuestImage | undefined => {
  const digest = findDigest(catalog, wanted);
  return catalog.images.find((image) => image.digest === digest);
};

/** As `findImage`, but for broken images too. Throws USAGE for what is no reference and for an ambiguous beginning. */
export const findDigest = (catalog: Catalog, wanted: string): string | undefined => {
  const names = isBareDigest(wanted) ? [] : candidateReferences(wanted);
  for (const name of names) {
    const ref = catalog.refs.find((entry) => entry.reference === name);
    if (ref) return ref.digest;
  }
  return matchDigest(catalog, wanted);
};

/** The canonical references a user may mean: a plain name is first one made here, then the registry's. */
export const candidateReferences = (wanted: string): readonly string[] => {
  const {text, kind} = parseReference(wanted);
  const made = `localhost/${wanted}${wanted.includes(':') ? '' : ':latest'}`;
  return kind === 'registry' && /^[^/@]+$/.test(wanted) ? [made, text] : [text];
};

/** The reference of the image built here for a language, the newest if there are several. */
export const builtReference = (catalog: Catalog, language: ImageLanguage): string | undefined =>
  catalog.refs
    .filter((ref) => ref.language === language && catalog.images.some(({digest}) => digest === ref.digest))
    .sort((a, b) => b.createdAt.localeCompare(a.createdAt))[0]?.reference;

const isBareDigest = (wanted: string): boolean => /^sha256:[0-9a-f]*$/.test(wanted);

const matchDigest = (catalog: Catalog, wanted: string): string | undefined => {
  const hex = /^(?:sha256:)?([0-9a-f]{4,64})$/.exec(wanted)?.[1];
  if (hex === undefined) return undefined;
  const all = [...catalog.images, ...catalog.broken].map(({digest}) => digest);
  const found = all.filter((digest) => digest.startsWith(`sha256:${hex}`));
  if (found.length > 1) {
    throw usageError(
      `'${wanted}' is the beginning of ${found.length} images' digests.`,
      'give more digits, or a reference: agent image list shows both',
    );
  }
  return found[0];
};

const readRefs = (imagesFolder: string): RefRecord[] => {
  const folder = refsFolder(imagesFolder);
  return namesIn(folder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      try {
        return [readRefRecord(join(folder, name))];
      } catch {
        return []; // a damaged reference is as good as none: its image is listed without it
      }
    })
    .sort((a, b) => a.reference.localeCompare(b.reference));
};

const readImage = (wanted: {
  imagesFolder: string;
  digest: string;
  refs: readonly RefRecord[];
}): GuestImage | BrokenImage => {
  const {imagesFolder, digest, refs} = wanted;
  const references = refs.filter((ref) => ref.digest === digest).map(({reference}) => reference);
  try {
    const record = readImageRecord(recordPath(imagesFolder, digest));
    if (record.digest !== digest) throw new Error(`${RECORD_FILE} names another digest`);
    const path = record.kind === 'erofs' ? checkRootfs(rootfsPath(imagesFolder, digest), record) : null;
    const {sizeBytes, architecture, config, createdAt} = record;
    return {digest, references, rootfsPath: path, sizeBytes, architecture, config, createdAt};
  } catch (error) {
    const problem = error instanceof Error ? firstLine(error.message) : String(error);
    return {digest, references, folder: imageFolder(imagesFolder, digest), problem};
  }
};

const checkRootfs = (path: string, {sizeBytes}: ImageRecord): string => {
  const {size} = statSync(path);
  if (size !== sizeBytes) throw new Error(`it is ${size} bytes long instead of ${sizeBytes}`);
  return path;
};

const firstLine = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 200);

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
};
