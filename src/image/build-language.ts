/** Builds a language's image from the host distribution's packages. */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {Progress} from '../model/progress.js';
import {buildFailure, createTail} from './build-failure.js';
import type {Distribution} from './distribution.js';
import {withHeartbeat} from './heartbeat.js';
import {findMergedUsrHook, readAptProxy, readDistribution} from './host-packages.js';
import type {ImageHost} from './image-host.js';
import type {BuildLanguageOptions} from './image-store.js';
import {ROOTFS_FILE} from './layout.js';
import {createTreeProgress, mmdebstrapCommand, type TreePlan} from './mmdebstrap.js';
import {fetchNodeRuntime} from './node-runtime.js';
import {publishImage, publishReference} from './publish.js';
import {commonEnv, commonPackages, recipes} from './recipe.js';
import {mkfsCommand, mkfsEnv, sizeOf} from './root-image.js';
import {type Workshop, withWorkshop} from './workshop.js';

// Files made while building get this time, so that the same packages give the same image: 2020-01-01.
const BUILT_FILES_TIME = '1577836800';

/** Builds, publishes and returns the digest. */
export const buildLanguage = async (host: ImageHost, options: BuildLanguageOptions): Promise<string> => {
  const {language, signal} = options;
  const distribution = await readDistribution();
  const reference = `localhost/agent/${language}:${distribution.name}`;
  const recipe = recipes[language];
  const tools = ['mmdebstrap', 'mkfs.erofs', ...(host.isRoot ? [] : ['buildah'])];
  return await withWorkshop(host, {tools, signal}, (workshop) =>
    withHeartbeat(options.progress, async (progress) => {
      progress.step(`building ${reference}`);
      const plan = await planTree({host, workshop, distribution, options: {...options, progress}});
      const stamp = join(workshop.scratch, 'started');
      await writeFile(stamp, '', {mode: 0o600});
      await makeTree({host, workshop, plan, progress, options});
      progress.detail('making the root image');
      await makeRootImage({host, workshop, tree: plan.target, stamp, signal});
      progress.detail(`the root image has ${await sizeOf(join(workshop.folder, ROOTFS_FILE))}`);
      const digest = await host.withLock('images', async () => {
        const {imagesFolder} = host;
        const config = {env: [...commonEnv, ...recipe.env], workdir: '/', user: ''};
        const digest = await publishImage({
          imagesFolder,
          folder: workshop.folder,
          architecture: process.arch,
          config,
        });
        await publishReference({imagesFolder, reference, digest, language});
        return digest;
      });
      progress.step(`built ${reference}`);
      return digest;
    }),
  );
};

const planTree = async (given: {
  host: ImageHost;
  workshop: Workshop;
  distribution: Distribution;
  options: BuildLanguageOptions;
}): Promise<TreePlan> => {
  const {workshop, distribution, options} = given;
  const recipe = recipes[options.language];
  const runtime = await nodeRuntime(given);
  return {
    distribution,
    recipe,
    packages: [...commonPackages, ...recipe.packages, ...runtime.packages],
    target: join(workshop.scratch, 'tree'),
    hooks: runtime.hooks,
    aptOptions: await readAptProxy(options.signal),
    mergedUsrHook: await findMergedUsrHook(),
  };
};

const nodeRuntime = async (given: {
  host: ImageHost;
  workshop: Workshop;
  distribution: Distribution;
  options: BuildLanguageOptions;
}): Promise<{hooks: readonly string[]; packages: readonly string[]}> => {
  const {npm} = recipes[given.options.language];
  if (npm === undefined) return {hooks: [], packages: []};
  const {signal, progress, onWarning} = given.options;
  try {
    const hooks = await fetchNodeRuntime({
      npm,
      architecture: process.arch,
      folder: given.workshop.scratch,
      env: given.host.env,
      timeoutMs: 5 * 60_000,
      signal,
      onPackage: (name) => progress.detail(`fetching ${name}`),
    });
    return {hooks, packages: []};
  } catch (error) {
    if (signal.aborted) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    onWarning?.(
      `${npm.runtime(process.arch)} cannot be had (${reason}): using ${given.distribution.name}'s own ${npm.fallbackPackages.join(', ')}`,
    );
    return {hooks: [], packages: npm.fallbackPackages};
  }
};

const makeTree = async (given: {
  host: ImageHost;
  workshop: Workshop;
  plan: TreePlan;
  progress: Progress;
  options: BuildLanguageOptions;
}): Promise<void> => {
  const {host, workshop, plan, progress, options} = given;
  const tail = createTail();
  const show = createTreeProgress(progress);
  const step = {
    phase: `building ${options.language}`,
    timeoutMs: host.limits.buildMs,
    signal: options.signal,
    onLine: (line: string) => {
      tail.add(line);
      show(line);
    },
  };
  try {
    await workshop.asRoot(mmdebstrapCommand(plan), step);
  } catch (error) {
    throw buildFailure({
      what: `The ${options.language} image`,
      error,
      lines: tail.lines(),
      hints: [
        `check that packages can be fetched: apt-get update, proxy settings, network`,
        `or use an OCI image: agent image pull REF`,
      ],
    });
  }
};

const settleScript =
  'set -eu; find "$1" -xdev -newer "$2" ! -newermt 2030-01-01 -exec touch --no-dereference --date=@"$3" {} +; ' +
  'tree=$1; shift 3; exec "$@" "$tree"';

const makeRootImage = async (given: {
  host: ImageHost;
  workshop: Workshop;
  tree: string;
  stamp: string;
  signal: AbortSignal;
}): Promise<void> => {
  const {host, workshop, tree, stamp, signal} = given;
  const mkfs = mkfsCommand(join(workshop.folder, ROOTFS_FILE));
  const args = ['sh', '-c', settleScript, 'sh', tree, stamp, BUILT_FILES_TIME, ...mkfs];
  await workshop.asRoot(
    args,
    {phase: 'making the root image', timeoutMs: host.limits.stepMs, signal},
    mkfsEnv,
  );
};
