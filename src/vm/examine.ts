import type {Finding, LauncherReport} from '../launcher/launcher.js';
import {languageNames, languageOf} from '../model/language.js';
import {launcherNames} from '../model/launcher-name.js';
import {listTemplates} from './list-templates.js';
import type {VmContext} from './vm-context.js';

export interface Diagnosis {
  readonly launchers: readonly LauncherReport[];
  readonly images: readonly Finding[];
  readonly templates: readonly Finding[];
  /** At least one launcher has booted a guest. */
  readonly usable: boolean;
}

/** What this machine can run, found out by booting. */
export const examine = async (context: VmContext): Promise<Diagnosis> => {
  const launchers: LauncherReport[] = [];
  for (const name of launcherNames) launchers.push(await context.launcher(name).examine(context));
  return {
    launchers,
    images: examineImages(context),
    templates: [await examineTemplates(context)],
    usable: launchers.some(({usable}) => usable),
  };
};

const examineImages = (context: VmContext): Finding[] => {
  const names = new Set(languageNames.map((name) => languageOf(name).image));
  return [...names].map((language) => {
    const reference = context.images.resolve({language});
    const found = context.images.find(reference);
    const seen = found ? reference : 'not here yet';
    const mend = `agent image pull --language ${language}, or without a registry: agent image build ${language}`;
    return {ok: found !== undefined, subject: `image for ${language}`, seen, ...(found ? {} : {mend})};
  });
};

/** None of it is a fault: VMs boot where there are none. */
const examineTemplates = async (context: VmContext): Promise<Finding> => {
  const templates = await listTemplates(context);
  const mib = Math.round(templates.reduce((sum, {sizeBytes}) => sum + sizeBytes, 0) / 1024 ** 2);
  const use = context.templates.isOn ? 'in use' : 'not in use: AGENT_TEMPLATES is off';
  return {ok: true, subject: 'warm starts', seen: `${templates.length} of ${mib} MiB together, ${use}`};
};
