/** The case-sensitive volume on which krunvm and buildah store on a Mac: krunvm's own configuration names it. */
import {stat} from 'node:fs/promises';
import {homedir} from 'node:os';
import {dirname} from 'node:path';
import {AgentError} from '../../model/errors.js';
import type {Environment} from '../common/host.js';
import {registryPath} from './environment.js';
import {readVolume} from './registry.js';

/** Its mount point. Throws LAUNCHER_UNAVAILABLE where none is named, or it is not mounted. */
export const findVolume = async (env: Environment): Promise<string> => {
  const path = registryPath('darwin', env.HOME || homedir());
  const volume = await readVolume(path);
  if (volume === undefined) {
    throw new AgentError('LAUNCHER_UNAVAILABLE', 'krunvm has not been set up on this Mac.', {
      details: [`${path} names no storage_volume`],
      hints: ['run: agent setup'],
    });
  }
  if (await isMounted(volume)) return volume;
  throw new AgentError(
    'LAUNCHER_UNAVAILABLE',
    `The volume that krunvm stores on is not mounted: ${volume}.`,
    {
      hints: ['mount it, for example with: diskutil mount krunvm', 'or set it up again: agent setup'],
    },
  );
};

const isMounted = async (path: string): Promise<boolean> => {
  try {
    const [own, above] = await Promise.all([stat(path), stat(dirname(path))]);
    return own.dev !== above.dev;
  } catch {
    return false; // it is not there
  }
};
