/** Fetches an image with buildah and makes its root image. */
import {join} from 'node:path';
import type {Progress} from '../model/progress.js';
import {readCatalog} from './catalog.js';
import {fetchImage, type PullSource} from './fetch.js';
import {withHeartbeat} from './heartbeat.js';
import type {ImageHost} from './image-host.js';
import type {PullOptions} from './image-store.js';
import {checkPlatform, parseInspect} from './inspect.js';
import {ROOTFS_FILE} from './layout.js';
import {publishImage, publishReference} from './publish.js';
import {mkfsCommand, mkfsEnv, sizeOf} from './root-image.js';
import {type Workshop, withWorkshop} from './workshop.js';

/** Pulls, publishes and returns the digest. */
export const pullImage = async (
  host: ImageHost,
  source: PullSource,
  options: PullOptions,
): Promise<string> => {
  const {signal} = options;
  return await withWorkshop(host, {tools: ['buildah', 'mkfs.erofs'], signal}, (workshop) =>
    withHeartbeat(options.progress, async (progress) => {
      progress.step(`pulling ${source.text}`);
      const id = await fetchImage({host, storage: workshop, source, flags: [], progress, signal});
      const digest = await makeFromStorage({host, workshop, progress, signal, id, reference: source.text});
      progress.step(`pulled ${source.text}`);
      return digest;
    }),
  );
};

/** Makes and publishes the root image of an image that is in the workshop's storage, unless its digest is here. */
export const makeFromStorage = async (job: {
  readonly host: ImageHost;
  readonly workshop: Workshop;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly id: string;
  readonly reference: string;
}): Promise<string> => {
  const {host, workshop, progress, signal, id, reference} = job;
  const step = {timeoutMs: host.limits.stepMs, signal};
  const {stdout} = await workshop.buildah(['inspect', '--type=image', id], {
    ...step,
    phase: `reading ${reference}`,
  });
  const image = parseInspect(stdout);
  checkPlatform(reference, image);
  const {digest, architecture, config} = image;
  const isHere = (): boolean =>
    readCatalog(host.imagesFolder).images.some((there) => there.digest === digest);
  if (!isHere()) {
    const container = 'root';
    const args = ['from', '--pull=never', `--name=${container}`, id];
    await workshop.buildah(args, {...step, phase: `unpacking ${reference}`});
    progress.detail('making the root image');
    const rootfs = join(workshop.folder, ROOTFS_FILE);
    const command = mkfsCommand(rootfs);
    await workshop.inContainer({
      container,
      command,
      env: mkfsEnv,
      step: {...step, phase: 'making the root image'},
    });
    progress.detail(`the root image has ${await sizeOf(rootfs)}`);
  }
  return await host.withLock('images', async () => {
    const {imagesFolder} = host;
    if (!isHere()) await publishImage({imagesFolder, folder: workshop.folder, digest, architecture, config});
    await publishReference({imagesFolder, reference, digest, language: null});
    return digest;
  });
};
