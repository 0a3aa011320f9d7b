/** The command line that makes a language's tree, and what its output tells. Pure. */
import type {Progress} from '../model/progress.js';
import type {Distribution} from './distribution.js';
import {excludedPaths, type Recipe} from './recipe.js';

export interface TreePlan {
  readonly distribution: Distribution;
  readonly recipe: Recipe;
  readonly packages: readonly string[];
  /** Absolute path of the tree, which must not exist. */
  readonly target: string;
  /** Shell lines to run before the recipe's own; `$1` is the tree. */
  readonly hooks: readonly string[];
  /** Options for apt while building, as apt.conf writes them. */
  readonly aptOptions: readonly string[];
  /** mmdebstrap's own hook for systems whose /bin is /usr/bin, where it is installed. */
  readonly mergedUsrHook: string | null;
}

export const mmdebstrapCommand = (plan: TreePlan): readonly string[] => [
  'mmdebstrap',
  '--verbose',
  '--variant=minbase',
  // In namespaces of its own; as root, and as root of a user namespace, the files belong to root.
  '--mode=unshare',
  '--format=directory',
  // The guest's /dev is the guest kernel's.
  '--skip=output/dev',
  `--include=${plan.packages.join(',')}`,
  ...excludedPaths.map((path) => `--dpkgopt=path-exclude=${path}`),
  ...plan.aptOptions.map((option) => `--aptopt=${option}`),
  ...(plan.mergedUsrHook === null ? [] : [`--hook-dir=${plan.mergedUsrHook}`]),
  ...plan.hooks.map((line) => `--customize-hook=${line}`),
  ...[...plan.recipe.prepare, plan.recipe.check].map((argv) => `--customize-hook=${inTree(argv)}`),
  ...(plan.aptOptions.length === 0 ? [] : ['--customize-hook=rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap"']),
  plan.distribution.suite,
  plan.target,
  ...plan.distribution.sources,
];

/** A word as the shell reads it back, whatever is in it. */
export const shellQuote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

const inTree = (argv: readonly string[]): string => `chroot "$1" ${argv.map(shellQuote).join(' ')}`;

/** Turns mmdebstrap's, apt's and dpkg's lines into progress. */
export const createTreeProgress = (progress: Progress): ((line: string) => void) => {
  let fetched = 0;
  return (line) => {
    const [, action = '', name = ''] =
      /^(Get:\d+|Unpacking|Setting up|I: running) ?([^ (]*)/.exec(line) ?? [];
    if (action.startsWith('Get:')) {
      fetched += 1;
      progress.detail(`fetched ${fetched} files`);
    } else if (action === 'Unpacking') {
      progress.detail(`unpacking ${name}`);
    } else if (action === 'Setting up') {
      progress.detail(`setting up ${name}`);
    } else if (line.startsWith('I: running --customize-hook')) {
      progress.detail('preparing the runtime');
    } else if (/^I: (?:cleaning|running apt-get update)/.test(line)) {
      progress.detail(line.slice(3).replace(/\.+$/, ''));
    }
  };
};
