/** The image store of one state directory. */
import {createHash} from 'node:crypto';
import {userInfo} from 'node:os';
import {AgentError, usageError} from '../model/errors.js';
import type {GuestImage} from '../model/guest-image.js';
import {languageOf} from '../model/language.js';
import {buildContainerfile} from './build-containerfile.js';
import {buildLanguage} from './build-language.js';
import {builtReference, candidateReferences, findDigest, findImage, readCatalog} from './catalog.js';
import {
  defaultLimits,
  type ImageLimits,
  type ImageList,
  type ImageStore,
  type PullOptions,
  type WantedImage,
} from './image-store.js';
import {type PullSource, pullImage} from './pull.js';
import {parseLocalTag, parseReference} from './reference.js';
import {pruneImages, removeImage} from './remove.js';
import {type ImageHost, reapWorkshops} from './workshop.js';

export interface ImageStoreOptions {
  readonly imagesFolder: string;
  /** buildah's files: settings, and its storage while it works. */
  readonly containersFolder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
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
  };
  const catalog = () => readCatalog(host.imagesFolder);
  const find = (wanted: string): GuestImage | undefined => findImage(catalog(), wanted);
  const made = (digest: string): GuestImage => {
    const image = find(digest);
    if (image) return image;
    throw new AgentError('IMAGE_UNUSABLE', `The image ${digest} was removed while it was made.`);
  };
  const pullHere = async (source: PullSource, pull: PullOptions): Promise<GuestImage> =>
    made(await pullImage(host, source, pull));
  return {
    find,
    list: () => list(host.imagesFolder),
    resolve: (wanted) => resolve(host.imagesFolder, wanted),
    pull: async (pull) => {
      const source = pullSource(pull.reference);
      return await host.withLock(lockName(source.text), () => pullHere(source, pull));
    },
    ensure: async (pull) => {
      const here = find(pull.reference);
      if (here) return here;
      const source = pullSource(pull.reference);
      return await host.withLock(
        lockName(source.text),
        async () => find(source.text) ?? (await pullHere(source, pull)),
      );
    },
    buildLanguage: (build) =>
      host.withLock(lockName(`the ${build.language} image`), async () =>
        made(await buildLanguage(host, build)),
      ),
    buildContainerfile: async (build) => {
      const tag = parseLocalTag(build.tag).text;
      return await host.withLock(lockName(tag), async () =>
        made(await buildContainerfile(host, {...build, tag})),
      );
    },
    remove: (remove) => host.withLock('images', () => removeImage(host.imagesFolder, remove)),
    prune: ({usedBy}) => host.withLock('images', () => pruneImages(host.imagesFolder, usedBy)),
    reap: () => reapWorkshops(host),
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

const pullSource = (reference: string): PullSource => {
  const source = parseReference(reference);
  if (source.kind !== 'local') return source;
  throw new AgentError(
    'IMAGE_NOT_FOUND',
    `There is no image '${source.text}' here, and no registry has it.`,
    {
      hints: [
        `make it: agent image build ${/^localhost\/agent\/([a-z]+):/.exec(source.text)?.[1] ?? 'LANGUAGE'}`,
        'agent image list shows the images that are here',
      ],
    },
  );
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
