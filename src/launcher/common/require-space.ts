import {statfs} from 'node:fs/promises';
import {AgentError} from '../../model/errors.js';

const MIN_FREE_BYTES = 64 * 1024 * 1024;

/** Throws DISK_FULL where `bytes` do not fit; without it, where a guest that writes there would end at its first write. */
export const requireSpace = async (folders: readonly string[], bytes = MIN_FREE_BYTES): Promise<void> => {
  for (const path of folders) {
    const {bavail, bsize} = await statfs(path);
    if (bavail * bsize >= bytes) continue;
    const needed = `${Math.ceil(bytes / 1024 ** 2)} MiB`;
    throw new AgentError('DISK_FULL', `The disk is full: less than ${needed} are free for '${path}'.`, {
      hints: ['free some space, for example with: agent vm clean --all'],
    });
  }
};
