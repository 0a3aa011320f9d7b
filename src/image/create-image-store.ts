/** The image store of one state directory. What makes and removes images is loaded when it is first needed. */
import {createHash} from 'node:crypto';
import {userInfo} from 'node:os';
import {AgentError, usageError} from '../model/errors.js';
import type {GuestImage} from '../model/guest-image.js';
import {languageOf} from '../model/language.js';
import {builtReference, candidateReferences, findDigest, findImage, readCatalog} from './catalog.js';
import type {PullSource} from './fetch.js';
import type {ImageHost} from './image-host.js';
import {
  defaultLimits,
  type ImageLimits,
  type ImageList,
  type ImageStore,
  type PullOptions,
  type WantedImage,
} from './image-store.js';
import {parseLocalTag, parseReference} from './reference.js';
import {refuseContainerfileBuild, refuseLanguageBuild} from './refuse-build.js';

export interface ImageStoreOptions {
  readonly imagesFolder: string;
  /** buildah's files: settings, and its storage while it works. */
  readonly containersFolder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * On macOS: finds the volume in whose buildah storage images stay, for krunvm; throws LAUNCHER_UNAVAILABLE with the
   * mend. Elsewhere each image becomes a file of its own.
   */
  readonly storageVolume?: (() => Promise<string>) | null;
  /** Runs `work` while no other process does so under the same name. */
  readonly withLock: <T>(name: string, work: () => Promise<T>) => Promise<T>;
  readonly limits?: ImageLimits;
}

export const createImageStore = (options: ImageStoreOptions): ImageStore => {
  const host: ImageHost = {
    ...options,
    isRoot: process.getuid?.() === 0,
    user: userName(options.env),
    limits: options.limits ?? defaultLimits,
    storageVolume: options.storageVolume ?? null,
  };
  const catalog = () => readCatalog(host.imagesFolder);
  const find = (wanted: string): GuestImage | undefined => findImage(catalog(), wanted);
  const made = (digest: string): GuestImage => {
    const image = find(digest);
    if (image) return image;
    throw new AgentError('IMAGE_UNUSABLE', `The image ${digest} was removed while it was made.`);
  };
  const canBuild = host.storageVolume === null;
  const pullHere = async (source: PullSource, pull: PullOptions): Promise<GuestImage> => {
    const pullInto = canBuild
      ? (await import('./pull.js')).pullImage
      : (await import('./pull-into-volume.js')).pullIntoVolume;
    return made(await pullInto(host, source, pull));
  };
  return {
    canBuild,
    find,
    list: () => list(host.imagesFolder),
    resolve: (wanted) => resolve(host.imagesFolder, wanted),
    pull: async (pull) => {
      const source = pullSource(pull.reference, {canBuild});
      return await host.withLock(lockName(source.text), () => pullHere(source, pull));
    },
    ensure: async (pull) => {
      const whole = () => findWhole(host, find(pull.reference), pull);
      const here = await whole();
      if (here) return here;
      const source = pullSource(pull.reference, {canBuild});
      return await host.withLock(
        lockName(source.text),
        async () => (await whole()) ?? (await pullHere(source, pull)),
      );
    },
    buildLanguage: async (build) => {
      if (!canBuild) throw refuseLanguageBuild(build.language);
      const {buildLanguage} = await import('./build-language.js');
      return await host.withLock(lockName(`the ${build.language} image`), async () =>
        made(await buildLanguage(host, build)),
      );
    },
    buildContainerfile: async (build) => {
      const tag = parseLocalTag(build.tag).text;
      if (!canBuild) throw refuseContainerfileBuild(tag);
      const {buildContainerfile} = await import('./build-containerfile.js');
      return await host.withLock(lockName(tag), async () =>
        made(await buildContainerfile(host, {...build, tag})),
      );
    },
    remove: async (remove) => {
      const {removeImage} = await import('./remove.js');
      return await host.withLock('images', () => removeImage(host, remove));
    },
    prune: async ({usedBy}) => {
      const {pruneImages} = await import('./remove.js');
      return await host.withLock('images', () => pruneImages(host, usedBy));
    },
    reap: async () => await (await import('./workshop.js')).reapWorkshops(host),
  };
};

const list = (imagesFolder: string): ImageList => {
  const {images, broken, refs} = readCatalog(imagesFolder);
  return {
    broken,
    images: images.map((image) => ({
      ...image,
      defaultFor: refs.flatMap(({digest, language, reference}) =>
        language !== null &&
        digest === image.digest &&
        builtReference({images, broken, refs}, language) === reference
          ? [language]
          : [],
      ),
    })),
  };
};

const resolve = (imagesFolder: string, wanted: WantedImage): string => {
  const {reference, language} = wanted;
  if (reference !== null && reference !== undefined) {
    const names = candidateReferences(reference);
    const catalog = readCatalog(imagesFolder);
    const named = names.find((name) => catalog.refs.some((ref) => ref.reference === name));
    return named ?? findDigest(catalog, reference) ?? parseReference(reference).text;
  }
  if (language === null || language === undefined) {
    throw usageError('Neither a language nor an image was named.', 'add --language python, or --image REF');
  }
  const {image, defaultReference} = languageOf(language);
  return builtReference(readCatalog(imagesFolder), image) ?? defaultReference;
};

const pullSource = (reference: string, {canBuild}: {readonly canBuild: boolean}): PullSource => {
  const source = parseReference(reference);
  if (source.kind !== 'local') return source;
  const language = /^localhost\/agent\/([a-z]+):/.exec(source.text)?.[1] ?? 'LANGUAGE';
  throw new AgentError(
    'IMAGE_NOT_FOUND',
    `There is no image '${source.text}' here, and no registry has it.`,
    {
      hints: [
        `${canBuild ? 'make it: agent image build' : 'pull one instead: agent image pull --language'} ${language}`,
        'agent image list shows the images that are here',
      ],
    },
  );
};

/** The image unless the storage that it was kept in has lost it. Throws where it was lost and cannot be pulled. */
const findWhole = async (
  host: ImageHost,
  image: GuestImage | undefined,
  {reference, signal}: PullOptions,
): Promise<GuestImage | undefined> => {
  if (image?.rootfsPath !== null || host.storageVolume === null) return image;
  const {withVolume} = await import('./volume.js');
  const {isStored} = await import('./volume-images.js');
  const step = {timeoutMs: host.limits.stepMs, signal};
  if (await withVolume(host, {signal}, (volume) => isStored(volume, image, step))) return image;
  if (candidateReferences(reference).some((name) => image.references.includes(name))) return undefined;
  throw new AgentError('IMAGE_NOT_FOUND', `The image ${image.digest} is no longer in buildah's storage.`, {
    hints: image.references.map((name) => `pull it again: agent image pull ${name}`).slice(0, 1),
  });
};

// Shown to whoever waits for it, and bounded, since paths may be long.
const lockName = (subject: string): string =>
  subject.length <= 300
    ? subject
    : `${subject.slice(0, 300)}-${createHash('sha256').update(subject).digest('hex').slice(0, 16)}`;

const userName = (env: ImageStoreOptions['env']): string => {
  try {
    return userInfo().username;
  } catch {
    return env.USER ?? String(process.getuid?.() ?? ''); // a user without an entry in the user database
  }
};
