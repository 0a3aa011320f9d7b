import {statfs} from 'node:fs/promises';
import {AgentError, diskFull} from '../model/errors.js';

const LEAST_BYTES = 1024 ** 2;

/** Why a guest has ended, where the machine knows better than the guest: it cannot go on when its disk finds no room on ours. */
export const explainDeath = async (folder: string, error: AgentError): Promise<AgentError> => {
  const {bavail, bsize} = await statfs(folder).catch(() => ({bavail: Number.POSITIVE_INFINITY, bsize: 1}));
  if (bavail * bsize >= LEAST_BYTES) return withHint(error);
  const {message, hints} = diskFull(`the guest could not write to '${folder}', and has ended`, error);
  return new AgentError('DISK_FULL', message, {cause: error, details: error.details, hints});
};

const withHint = (error: AgentError): AgentError => {
  const {code, message, details, hints} = error;
  return new AgentError(code, message, {
    cause: error,
    details,
    hints: [...hints, 'the next command boots the VM again'],
  });
};
