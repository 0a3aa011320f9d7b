import {accessSync, constants} from 'node:fs';
import {AgentError} from '../../model/errors.js';
import type {Architecture} from './host.js';

/** The guest agent's file for an architecture. Throws LAUNCHER_UNAVAILABLE where it is missing. */
export const findGuestAgent = (
  {guestAgentPath}: {readonly guestAgentPath: (architecture: string) => string},
  architecture: Architecture,
): string => {
  const path = guestAgentPath(architecture);
  try {
    accessSync(path, constants.R_OK);
    return path;
  } catch (cause) {
    throw new AgentError('LAUNCHER_UNAVAILABLE', `The guest agent '${path}' is missing.`, {
      cause,
      hints: ['run: npm run build', 'or install the package again'],
    });
  }
};
