import {AgentError} from '../../../src/model/errors.js';

/** Something happened that must not, whatever the other end sends. */
export class Finding extends Error {
  override readonly name = 'Finding';
}

/** Names how something ended; throws where it ended in no way that is known. */
export const known = (error: unknown, allowed: (error: AgentError) => boolean): string => {
  if (error === undefined) return 'fine';
  if (error instanceof AgentError && allowed(error)) return error.code;
  throw new Finding(`ended with ${describe(error)}`, {cause: error});
};

const describe = (error: unknown): string =>
  error instanceof AgentError ? `${error.code}: ${error.message}` : String(error);

export const isGuests = ({code}: AgentError): boolean =>
  code === 'GUEST_PROTOCOL' || code === 'GUEST_FAILED' || code === 'BOOT_FAILED';
