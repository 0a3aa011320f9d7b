import {AgentError, type ErrorCode} from '../model/errors.js';
import type {ImageLanguage} from '../model/language.js';
import type {ImageReport} from './setup-report.js';
import type {SetupTools} from './setup-tools.js';

/** After these a registry is of no use, and the distribution's own packages are. */
const buildInstead: readonly ErrorCode[] = ['REGISTRY_UNREACHABLE', 'IMAGE_NOT_FOUND', 'DEADLINE'];

interface Wanted {
  readonly languages: readonly ImageLanguage[];
  readonly dryRun: boolean;
}

/** One image for each language: the one that is here, else the registry's, else one built here. */
export const prepareImages = async (
  tools: SetupTools,
  {languages, dryRun}: Wanted,
): Promise<ImageReport[]> => {
  const reports: ImageReport[] = [];
  // A registry that did not answer once is not asked again: each silence costs the whole deadline.
  let registryAnswers = true;
  for (const language of languages) {
    const reference = tools.images.resolve({language});
    if (tools.images.find(reference)) reports.push({language, reference, state: 'ready'});
    else if (dryRun) reports.push({language, reference, state: 'missing'});
    else {
      const made = await makeImage(tools, {language, reference, askRegistry: registryAnswers});
      registryAnswers &&= made.state === 'pulled';
      reports.push(made);
    }
  }
  return reports;
};

const makeImage = async (
  {images, progress, signal}: SetupTools,
  wanted: {readonly language: ImageLanguage; readonly reference: string; readonly askRegistry: boolean},
): Promise<ImageReport> => {
  const {language, reference, askRegistry} = wanted;
  try {
    if (askRegistry) {
      progress.step(`pulling ${reference}`);
      await images.pull({reference, progress, signal});
      return {language, reference, state: 'pulled'};
    }
  } catch (error) {
    if (!images.canBuild || !(error instanceof AgentError && buildInstead.includes(error.code))) throw error;
    progress.detail(error.message);
  }
  progress.step(`building the ${language} image`);
  await images.buildLanguage({language, progress, signal});
  return {language, reference: images.resolve({language}), state: 'built'};
};
