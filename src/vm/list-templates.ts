import type {Template} from '../launcher/launcher.js';
import {launcherNames} from '../model/launcher-name.js';
import type {VmContext} from './vm-context.js';

/** Those that VMs of this machine would start from. Changes nothing. */
export const listTemplates = async (context: VmContext): Promise<Template[]> => {
  const lists = await Promise.all(
    launcherNames.map(async (name) => {
      try {
        return (await (await context.launcher(name).templates())?.list()) ?? [];
      } catch {
        return []; // what cannot boot a VM starts none from a template either
      }
    }),
  );
  return lists.flat();
};
