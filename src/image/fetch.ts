/** Pulls an image into a storage of buildah's, and says in words that help why that failed. */
import {stat, symlink} from 'node:fs/promises';
import {join} from 'node:path';
import {AgentError} from '../model/errors.js';
import {type ImageLanguage, languageNames, languageOf} from '../model/language.js';
import type {Progress} from '../model/progress.js';
import {createTail} from './build-failure.js';
import type {BuildahStorage, ImageHost} from './image-host.js';
import {createPullProgress} from './pull-progress.js';
import {buildahSource, type FileReference, isLoopback, type RegistryReference} from './reference.js';
import {classifyPull, pullError, unreachable} from './registry-error.js';

export type PullSource = RegistryReference | FileReference;

export interface FetchJob {
  readonly host: ImageHost;
  readonly storage: BuildahStorage;
  readonly source: PullSource;
  /** For `buildah pull`. */
  readonly flags: readonly string[];
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** The name of an image's folder or file where buildah runs. Images that name themselves in no way get it as name. */
export const LINK = 'pulled-by-agent';

/** Returns the image's id in the storage. */
export const fetchImage = async (job: FetchJob): Promise<string> => {
  const {host, storage, source, flags, progress, signal} = job;
  if (source.kind === 'file') await linkSource(source, storage.scratch);
  const tail = createTail();
  const told = createPullProgress(progress);
  // A registry that swallows packets would let buildah wait for minutes.
  const silence = new AbortController();
  const timer = setTimeout(() => told.hasAnswered() || silence.abort(), host.limits.contactMs);
  try {
    const {stdout} = await storage.buildah(
      pullArgs({policyPath: storage.containers.policyPath, source, flags}),
      {
        phase: `pulling ${source.text}`,
        timeoutMs: host.limits.pullMs,
        cwd: storage.scratch,
        signal: AbortSignal.any([signal, silence.signal]),
        onLine: (line) => {
          tail.add(line);
          told.add(line);
        },
      },
    );
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
export const pullArgs = (wanted: {
  readonly policyPath: string;
  readonly source: PullSource;
  readonly flags: readonly string[];
}): readonly string[] => [
  'pull',
  '--policy=always',
  '--retry=1',
  '--retry-delay=1s',
  `--signature-policy=${wanted.policyPath}`,
  ...wanted.flags,
  ...(wanted.source.kind === 'registry' && isLoopback(wanted.source.registry) ? ['--tls-verify=false'] : []),
  '--',
  buildahSource(wanted.source, LINK),
];

const imageId = (stdout: string): string => {
  const id = stdout.trim().split('\n').at(-1)?.trim() ?? '';
  if (/^(?:sha256:)?[0-9a-f]{12,64}$/.test(id)) return id.replace('sha256:', '');
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
  const told = {source, language, canBuild: host.storageVolume === null, cause};
  if (isSilent) return unreachable(told, [`no answer in ${host.limits.contactMs / 1000} s`]);
  if (!(cause instanceof AgentError) || cause.code !== 'PROCESS_FAILED' || cause.hints.length > 0)
    return cause;
  const said = lines.length > 0 ? lines : cause.details;
  // What nobody could name is shown as it is.
  return classifyPull(said.join('\n')) === 'other' && source.kind === 'registry'
    ? cause
    : pullError({...told, lines: said});
};

/** The language whose default in the registries a reference is. */
export const defaultLanguage = (reference: string): ImageLanguage | null => {
  const name = languageNames.find((language) => languageOf(language).defaultReference === reference);
  return name === undefined ? null : languageOf(name).image;
};
