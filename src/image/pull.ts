/** Fetches an image with buildah and makes its root image. */
import {stat, symlink} from 'node:fs/promises';
import {join} from 'node:path';
import {AgentError} from '../model/errors.js';
import {type ImageLanguage, languageNames, languageOf} from '../model/language.js';
import type {Progress} from '../model/progress.js';
import {createTail} from './build-failure.js';
import {readCatalog} from './catalog.js';
import {withHeartbeat} from './heartbeat.js';
import type {PullOptions} from './image-store.js';
import {type InspectedImage, parseInspect} from './inspect.js';
import {ROOTFS_FILE} from './layout.js';
import {publishImage, publishReference} from './publish.js';
import {createPullProgress} from './pull-progress.js';
import {buildahSource, type FileReference, isLoopback, type RegistryReference} from './reference.js';
import {classifyPull, otherPlatform, pullError, unreachable} from './registry-error.js';
import {mkfsCommand, mkfsEnv, sizeOf} from './root-image.js';
import {type ImageHost, type Workshop, withWorkshop} from './workshop.js';

export type PullSource = RegistryReference | FileReference;

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
      const job: PullJob = {host, workshop, source, progress, signal};
      const id = await fetchImage(job);
      const digest = await makeFromStorage({...job, id, reference: source.text});
      progress.step(`pulled ${source.text}`);
      return digest;
    }),
  );
};

const LINK = 'source';

interface PullJob {
  readonly host: ImageHost;
  readonly workshop: Workshop;
  readonly source: PullSource;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Makes and publishes the root image of an image that is in the workshop's storage, unless its digest is here. */
export const makeFromStorage = async (
  job: Omit<PullJob, 'source'> & {readonly id: string; readonly reference: string},
): Promise<string> => {
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

const checkPlatform = (reference: string, image: InspectedImage): void => {
  if (image.os === 'linux' && image.architecture === process.arch) return;
  throw otherPlatform({text: reference, details: [`it is for ${image.os}/${image.architecture}`]});
};

const fetchImage = async (job: PullJob): Promise<string> => {
  const {host, workshop, source, progress, signal} = job;
  if (source.kind === 'file') await linkSource(source, workshop.scratch);
  const tail = createTail();
  const told = createPullProgress(progress);
  // A registry that swallows packets would let buildah wait for minutes.
  const silence = new AbortController();
  const timer = setTimeout(() => told.hasAnswered() || silence.abort(), host.limits.contactMs);
  try {
    const {stdout} = await workshop.buildah(pullArgs(workshop.containers.policyPath, source), {
      phase: `pulling ${source.text}`,
      timeoutMs: host.limits.pullMs,
      cwd: workshop.scratch,
      signal: AbortSignal.any([signal, silence.signal]),
      onLine: (line) => {
        tail.add(line);
        told.add(line);
      },
    });
    return imageId(stdout);
  } catch (error) {
    throw explain({
      error,
      source,
      lines: tail.lines(),
      isSilent: silence.signal.aborted && !signal.aborted,
      host,
    });
  } finally {
    clearTimeout(timer);
  }
};

const linkSource = async ({path, text}: FileReference, folder: string): Promise<void> => {
  await stat(path).catch((cause: unknown) => {
    throw new AgentError('IMAGE_NOT_FOUND', `There is nothing at '${text}'.`, {
      cause,
      hints: ['check the path'],
    });
  });
  await symlink(path, join(folder, LINK));
};

/** buildah's arguments; the reference always carries its transport and can be no option. */
export const pullArgs = (policyPath: string, source: PullSource): readonly string[] => [
  'pull',
  '--policy=always',
  '--retry=1',
  '--retry-delay=1s',
  `--signature-policy=${policyPath}`,
  ...(source.kind === 'registry' && isLoopback(source.registry) ? ['--tls-verify=false'] : []),
  '--',
  buildahSource(source, LINK),
];

const imageId = (stdout: string): string => {
  const id = stdout.trim().split('\n').at(-1)?.trim() ?? '';
  if (/^(?:sha256:)?[0-9a-f]{12,64}$/.test(id)) return id;
  throw new AgentError('IMAGE_UNUSABLE', 'buildah pulled an image and did not say which.', {
    details: [id.slice(0, 200)],
  });
};

const explain = (failed: {
  error: unknown;
  source: PullSource;
  lines: readonly string[];
  isSilent: boolean;
  host: ImageHost;
}): unknown => {
  const {error: cause, source, lines, isSilent, host} = failed;
  const language = defaultLanguage(source.text);
  if (isSilent) {
    return unreachable({source, language, cause}, [`no answer in ${host.limits.contactMs / 1000} s`]);
  }
  if (!(cause instanceof AgentError) || cause.code !== 'PROCESS_FAILED' || cause.hints.length > 0)
    return cause;
  const said = lines.length > 0 ? lines : cause.details;
  // What nobody could name is shown as it is.
  return classifyPull(said.join('\n')) === 'other' && source.kind === 'registry'
    ? cause
    : pullError({source, language, lines: said, cause});
};

/** The language whose default in the registries a reference is. */
export const defaultLanguage = (reference: string): ImageLanguage | null => {
  const name = languageNames.find((language) => languageOf(language).defaultReference === reference);
  return name === undefined ? null : languageOf(name).image;
};
