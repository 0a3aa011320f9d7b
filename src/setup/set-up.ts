import type {LauncherReport} from '../launcher/launcher.js';
import {AgentError, toAgentError} from '../model/errors.js';
import type {ImageLanguage, LanguageName} from '../model/language.js';
import {languageOf} from '../model/language.js';
import {prepareImages} from './prepare-images.js';
import type {SetupReport} from './setup-report.js';
import type {KernelSource, SetupTools} from './setup-tools.js';

export interface SetupOptions {
  readonly languages: readonly LanguageName[];
  /** Installs system packages without asking. */
  readonly assumeYes: boolean;
  /** Only tells what would be done. */
  readonly dryRun: boolean;
  /** Boots a guest at the end, as proof. */
  readonly boot: boolean;
}

/** Makes what is missing, in the order in which one thing needs the other. A second call finds nothing to do. */
export const setUp = async (tools: SetupTools, options: SetupOptions): Promise<SetupReport> => {
  const {dryRun} = options;
  const languages = imageLanguages(options.languages);
  const packages = await tools.packages.missing();
  if (packages.length > 0 && !dryRun) await tools.packages.install({assumeYes: options.assumeYes});
  const kernel = await prepareKernel(tools, {dryRun});
  const images = await prepareImages(tools, {languages, dryRun});
  const launcher = options.boot && !dryRun ? await proveByBooting(tools) : null;
  return {dryRun, packages, kernel, images, launcher};
};

/** Each image once: typescript runs in node's. */
const imageLanguages = (languages: readonly LanguageName[]): ImageLanguage[] => [
  ...new Set(languages.map((language) => languageOf(language).image)),
];

const prepareKernel = async (tools: SetupTools, {dryRun}: {readonly dryRun: boolean}): Promise<string> => {
  const {launcher, kernel} = tools;
  // Whether a network can be kept out is no matter of the kernel; the boot at the end tells.
  const error = await launcher.check({network: 'allow_all'}).then(() => undefined, toAgentError);
  // Whatever else is wrong with the launcher: without its programs nothing can be said about the kernel yet.
  if (error && !(dryRun && error.code !== 'INTERNAL')) {
    if (kernel && error.code === 'KERNEL_NOT_FOUND') return await fetchKernel(tools, kernel);
    throw error;
  }
  if (kernel === null) return 'bundled';
  return error ? 'missing' : 'ready';
};

// Lists that were never loaded, or were removed to save space, know no kernel either.
const fetchKernel = async ({progress}: SetupTools, {fetch, updateLists}: KernelSource): Promise<string> => {
  try {
    progress.step('fetching a kernel for guests');
    return await fetch();
  } catch (error) {
    if (!(error instanceof AgentError && error.code === 'KERNEL_NOT_FOUND')) throw error;
    await updateLists();
    return await fetch();
  }
};

const proveByBooting = async (tools: SetupTools): Promise<LauncherReport> => {
  tools.progress.step('booting a guest');
  const report = await tools.launcher.examine({progress: tools.progress, signal: tools.signal});
  if (report.usable) return report;
  const bad = report.findings.filter(({ok}) => !ok);
  throw new AgentError('LAUNCHER_UNAVAILABLE', `No guest boots with ${report.launcher}.`, {
    details: bad.map(({subject, seen}) => `${subject}: ${seen}`),
    hints: [...bad.flatMap(({mend}) => mend ?? []), 'agent doctor shows what this machine can run'],
  });
};
