/** `image warm`: has the template made that `vm temp` and others would start from. */
import {performance} from 'node:perf_hooks';
import type {Template} from '../launcher/launcher.js';
import type {CreateOptions} from '../model/create-options.js';
import {AgentError, usageError} from '../model/errors.js';
import type {GuestImage} from '../model/guest-image.js';
import {type LanguageName, languageNamed, languageNames, languageOf} from '../model/language.js';
import type {LauncherName} from '../model/launcher-name.js';
import {makePrivateFolder} from '../state/state-paths.js';
import {chooseLauncher} from './choose-launcher.js';
import {makeTemplate} from './make-template.js';
import type {VmContext} from './vm-context.js';

/** What the VMs will be that start from it. */
export interface WarmOptions extends Pick<CreateOptions, 'launcher' | 'cpus' | 'memoryMib' | 'network'> {
  /** A language, a reference, or the beginning of a digest. */
  readonly wanted: string;
}

export interface WarmedImage {
  readonly image: GuestImage;
  readonly language: LanguageName | null;
  readonly launcher: LauncherName;
  readonly template: Template;
  /** It was there, and whole. */
  readonly wasWarm: boolean;
  readonly durationMs: number;
}

export const warmImage = async (
  context: VmContext,
  {wanted, launcher, cpus, memoryMib, network}: WarmOptions,
): Promise<WarmedImage> => {
  if (!context.templates.isOn) throw switchedOff();
  const startedAt = performance.now();
  const language = languageNamed(wanted) ?? null;
  const image = findImage(context, {wanted, language});
  makePrivateFolder(context.paths.root, context.uid);
  const chosen = await chooseLauncher(context, {launcher, network, diskMib: null});
  const spec = {image, cpus, memoryMib, network};
  const {template, isNew} = await makeTemplate(context, {launcher: chosen, language, spec});
  const durationMs = performance.now() - startedAt;
  return {image, language, launcher: chosen, template, wasWarm: !isNew, durationMs};
};

const switchedOff = (): AgentError =>
  usageError(
    'Warm starts are switched off: AGENT_TEMPLATES is off, so no VM would start from a template.',
    'set AGENT_TEMPLATES to auto, or unset it',
  );

/** What `vm create` would take, but that nothing is fetched: what is not here cannot be warmed. */
const findImage = (
  {images}: VmContext,
  {wanted, language}: {readonly wanted: string; readonly language: LanguageName | null},
): GuestImage => {
  const reference = images.resolve(language ? {language} : {reference: wanted});
  const found = images.find(reference);
  if (found) return found;
  const hints = language
    ? [
        `get it: agent image pull --language ${language}`,
        ...(images.canBuild
          ? [`or without a registry: agent image build ${languageOf(language).image}`]
          : []),
      ]
    : [
        `get it: agent image pull ${wanted}`,
        'or see what is here: agent image list',
        `or name a language: ${languageNames.join(', ')}`,
      ];
  throw new AgentError('IMAGE_NOT_FOUND', `There is no image '${reference}' here.`, {hints});
};
