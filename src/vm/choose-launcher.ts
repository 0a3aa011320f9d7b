/** Which launcher a new VM gets; it stays with that one. */
import type {CreateOptions} from '../model/create-options.js';
import {type AgentError, toAgentError} from '../model/errors.js';
import {type LauncherName, launcherNames} from '../model/launcher-name.js';
import type {VmContext} from './vm-context.js';

/** The one named, or the first that can give the VM its network and its disk and has booted a guest here. Throws why there is none. */
export const chooseLauncher = async (
  context: VmContext,
  {launcher, network, diskMib}: Pick<CreateOptions, 'launcher' | 'network' | 'diskMib'>,
): Promise<LauncherName> => {
  if (launcher !== 'auto') {
    await context.launcher(launcher).check({network, diskMib});
    return launcher;
  }
  let last: AgentError | undefined;
  for (const name of launcherNames) {
    try {
      await context.launcher(name).check({network, diskMib});
      if (await context.launcher(name).isProven(context)) return name;
    } catch (error) {
      last = toAgentError(error);
      if (last.code === 'INTERRUPTED') throw last;
    }
  }
  throw last;
};
