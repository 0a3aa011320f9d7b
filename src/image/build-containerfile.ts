/** Builds a Containerfile with buildah. Its RUN steps run on this host, in a chroot: it is trusted as a Makefile is. */
import {readFile, stat} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {AgentError, usageError} from '../model/errors.js';
import type {Progress} from '../model/progress.js';
import {importBases, namedLocally} from './base-images.js';
import {buildFailure, createTail, printable} from './build-failure.js';
import {withHeartbeat} from './heartbeat.js';
import type {ImageHost} from './image-host.js';
import type {BuildContainerfileOptions} from './image-store.js';
import {makeFromStorage} from './pull.js';
import {classifyPull} from './registry-error.js';
import {type Workshop, withWorkshop} from './workshop.js';

/** Builds, publishes under `tag` and returns the digest. */
export const buildContainerfile = async (
  host: ImageHost,
  options: BuildContainerfileOptions,
): Promise<string> => {
  const {signal, tag} = options;
  const build = await readBuild(options);
  return await withWorkshop(host, {tools: ['buildah', 'mkfs.erofs'], signal}, (workshop) =>
    withHeartbeat(options.progress, async (progress) => {
      progress.step(`building ${tag}`);
      const step = {timeoutMs: host.limits.stepMs, signal};
      const missing = await importBases({host, workshop, names: namedLocally(build), step});
      const id = await runBuild({host, workshop, build, tag, missing, progress, signal});
      const digest = await makeFromStorage({host, workshop, progress, signal, id, reference: tag});
      progress.step(`built ${tag}`);
      return digest;
    }),
  );
};

interface Build {
  readonly file: string;
  readonly context: string;
  readonly text: string;
  readonly buildArgs: readonly string[];
}

const readBuild = async (options: BuildContainerfileOptions): Promise<Build> => {
  const {buildArgs = []} = options;
  const wrong = buildArgs.find((entry) => !/^[A-Za-z_]\w*=/.test(entry));
  if (wrong !== undefined)
    throw usageError(`Invalid build argument '${printable(wrong)}'.`, 'write it as NAME=value');
  const [file, context] = [resolve(options.file), resolve(options.context)];
  const folder = await stat(context).catch(() => undefined);
  if (!folder?.isDirectory()) throw absent(`The build's folder '${printable(context)}' does not exist.`);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) throw absent(`The Containerfile '${printable(file)}' cannot be read.`);
  return {file, context, text, buildArgs};
};

const absent = (message: string): AgentError =>
  new AgentError('BUILD_FAILED', message, {
    hints: ['name both: agent image build --file Containerfile --context .'],
  });

const runBuild = async (job: {
  host: ImageHost;
  workshop: Workshop;
  build: Build;
  tag: string;
  missing: readonly string[];
  progress: Progress;
  signal: AbortSignal;
}): Promise<string> => {
  const {host, workshop, build, tag, missing, progress, signal} = job;
  const tail = createTail();
  const idFile = join(workshop.scratch, 'image-id');
  const onLine = (line: string): void => {
    tail.add(line);
    if (/^(?:STEP|Copying|COMMIT)/.test(line)) progress.detail(printable(line).slice(0, 100));
  };
  const step = {phase: `building ${tag}`, timeoutMs: host.limits.buildMs, signal, onLine};
  try {
    await workshop.buildah(buildArgs({build, tag, idFile, policyPath: workshop.containers.policyPath}), step);
  } catch (error) {
    const lines = tail.lines();
    throw buildFailure({what: `The image '${tag}'`, error, lines, hints: [hintFor({lines, missing})]});
  }
  return (await readFile(idFile, 'utf8')).trim();
};

const hintFor = ({lines, missing}: {lines: readonly string[]; missing: readonly string[]}): string => {
  if (missing.length > 0) return `not here: ${missing.join(', ')}; agent image list shows what is`;
  return classifyPull(lines.join('\n')) === 'unreachable'
    ? 'if its base cannot be fetched, build upon an image made here: FROM localhost/agent/python:debian-12'
    : 'the lines above say which step failed';
};

const buildArgs = (wanted: {
  readonly build: Omit<Build, 'text'>;
  readonly tag: string;
  readonly idFile: string;
  readonly policyPath: string;
}): readonly string[] => [
  'build',
  // No container runtime is needed.
  '--isolation=chroot',
  // Bases that are here are never asked of a registry.
  '--pull=false',
  '--layers=false',
  '--retry=1',
  `--signature-policy=${wanted.policyPath}`,
  `--iidfile=${wanted.idFile}`,
  `--file=${wanted.build.file}`,
  `--tag=${wanted.tag}`,
  ...wanted.build.buildArgs.map((entry) => `--build-arg=${entry}`),
  '--',
  wanted.build.context,
];
