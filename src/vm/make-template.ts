/** Makes the template that VMs with an image start from. */
import type {Template, Templates} from '../launcher/launcher.js';
import {AgentError} from '../model/errors.js';
import type {GuestImage} from '../model/guest-image.js';
import {type LanguageName, languageNames, languageOf} from '../model/language.js';
import type {LauncherName} from '../model/launcher-name.js';
import type {TemplateOrder, VmContext} from './vm-context.js';
import {warmUp} from './warm-up.js';

export interface MadeTemplate {
  readonly template: Template;
  /** False where a sound one was there. */
  readonly isNew: boolean;
}

/** Throws LAUNCHER_UNAVAILABLE where the launcher has no templates, and what kept this one from being made. */
export const makeTemplate = async (
  context: VmContext,
  {launcher, language, spec}: TemplateOrder,
): Promise<MadeTemplate> => {
  const {progress, signal} = context;
  const templates = (await context.launcher(launcher).templates()) ?? refuse(launcher);
  const isNew = !(await templates.has(spec));
  const runtime = language ?? languageOfImage(context, spec.image);
  try {
    const template = await templates.make(spec, {
      progress,
      signal,
      warmUp: async (guest) => await warmUp(guest, {image: spec.image, language: runtime, progress, signal}),
    });
    return {template, isNew};
  } finally {
    await requireImage(context, launcher, spec.image);
  }
};

const refuse = (launcher: LauncherName): Templates => {
  throw new AgentError('LAUNCHER_UNAVAILABLE', `${launcher} cannot save VMs: each of its VMs boots.`, {
    hints: ['use: --launcher qemu'],
  });
};

/** The language whose image it is, if any. */
const languageOfImage = ({images}: VmContext, {digest}: GuestImage): LanguageName | null =>
  languageNames.find(
    (language) =>
      languageOf(language).image === language && images.find(images.resolve({language}))?.digest === digest,
  ) ?? null;

/** Where the image was removed meanwhile, nobody would ever remove its template. */
const requireImage = async (
  context: VmContext,
  launcher: LauncherName,
  {digest}: GuestImage,
): Promise<void> => {
  const except = context.images.list().images.map((image) => image.digest);
  if (except.includes(digest)) return;
  await context.launcher(launcher).forgetImages({...context, except});
  throw new AgentError('IMAGE_NOT_FOUND', `The image ${digest} was removed meanwhile.`);
};
