/** Fetches an image into the volume's storage, where it stays under our name for it. */
import {AgentError} from '../model/errors.js';
import {storageName} from '../model/guest-image.js';
import type {Progress} from '../model/progress.js';
import {fetchImage, LINK, type PullSource} from './fetch.js';
import {withHeartbeat} from './heartbeat.js';
import type {BuildahStorage, ImageHost} from './image-host.js';
import type {PullOptions} from './image-store.js';
import {checkPlatform, parseInspect} from './inspect.js';
import {publishReference, publishStored} from './publish.js';
import {withVolume} from './volume.js';
import {listStored, type StoredImage, tagStored, untagStored} from './volume-images.js';

/** Pulls, publishes and returns the digest. */
export const pullIntoVolume = async (
  host: ImageHost,
  source: PullSource,
  {signal, ...options}: PullOptions,
): Promise<string> =>
  await withVolume(host, {signal}, (volume) =>
    withHeartbeat(options.progress, async (progress) => {
      const job: VolumeJob = {host, volume, source, progress, signal};
      progress.step(`pulling ${source.text}`);
      // buildah finds what it took out of a file by the name that it gave it, and that may be any.
      const digest = await (source.kind === 'file'
        ? host.withLock('images in files', () => pullOne(job))
        : pullOne(job));
      progress.step(`pulled ${source.text}`);
      return digest;
    }),
  );

interface VolumeJob {
  readonly host: ImageHost;
  readonly volume: BuildahStorage;
  readonly source: PullSource;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

// On macOS images are for macOS unless this is said; the architecture is the machine's.
const FLAGS = ['--os=linux'] as const;
/** Short steps that leave the storage as it should be: not to be interrupted. */
const FINISHING = {timeoutMs: 60_000} as const;

const pullOne = async (job: VolumeJob): Promise<string> => {
  const {host, volume, source, signal} = job;
  const step = {timeoutMs: host.limits.stepMs, signal};
  // A process that was killed has left it.
  if (source.kind === 'file') await untagStored(volume, `localhost/${LINK}:latest`, step);
  const before = await listStored(volume, step);
  let id: string | undefined;
  try {
    id = await fetchImage({...job, storage: volume, flags: FLAGS});
    return await publish(job, {id, before});
  } catch (error) {
    await discard(volume, {id, error, before}).catch(() => {}); // why it failed is more important
    throw error;
  }
};

const publish = async (
  {host, volume, source, signal}: VolumeJob,
  {id, before}: {readonly id: string; readonly before: readonly StoredImage[]},
): Promise<string> => {
  const inspected = await volume.buildah(['inspect', '--type=image', id], {
    timeoutMs: host.limits.stepMs,
    signal,
    phase: `reading ${source.text}`,
  });
  const image = parseInspect(inspected.stdout);
  checkPlatform(source.text, image);
  const {digest, architecture, config} = image;
  const {imagesFolder} = host;
  return await host.withLock('images', async () => {
    await tagStored(volume, {id, name: storageName(image)}, FINISHING);
    const stored = (await listStored(volume, FINISHING)).find((there) => there.id === id);
    await settleNames(volume, {names: stored?.names ?? [], id, before});
    await publishStored({imagesFolder, digest, architecture, config, sizeBytes: stored?.sizeBytes ?? 0});
    await publishReference({imagesFolder, reference: source.text, digest, language: null});
    return digest;
  });
};

/** Of images and VMs of ours. */
const ours = /^localhost\/agent[-/]/;

/** Gives names that buildah took from other images back to those, and takes those away that it gave the image. */
const settleNames = async (
  volume: BuildahStorage,
  image: Pick<StoredImage, 'id' | 'names'> & {readonly before: readonly StoredImage[]},
): Promise<void> => {
  for (const name of image.names) {
    const owner = image.before.find(({names}) => names.includes(name));
    if (owner && owner.id !== image.id) await tagStored(volume, {id: owner.id, name}, FINISHING);
    else if (!owner && !ours.test(name)) await untagStored(volume, name, FINISHING);
  }
};

/** Takes an image that turned out to be of no use out of the storage again, unless it was there before. */
const discard = async (
  volume: BuildahStorage,
  failed: {
    readonly id: string | undefined;
    readonly error: unknown;
    readonly before: readonly StoredImage[];
  },
): Promise<void> => {
  const {error, before} = failed;
  const said = error instanceof AgentError ? error.details.join('\n') : '';
  // A file's image for another platform is stored, and then not found by its name.
  const name = /locating pulled image "([^"]+)"/.exec(said)?.[1];
  const stored = (await listStored(volume, FINISHING)).find(
    ({id, names}) =>
      id === failed.id || (name !== undefined && (names.includes(name) || names.includes(`${name}:latest`))),
  );
  if (stored === undefined) return;
  await settleNames(volume, {...stored, before});
  if (stored.names.length === 0 && !before.some(({id}) => id === stored.id)) {
    await untagStored(volume, stored.id, FINISHING);
  }
};
