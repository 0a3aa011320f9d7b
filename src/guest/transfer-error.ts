import {AgentError} from '../model/errors.js';

/** A PUT or a GET that the guest could not do; `errno` is Linux's, or null where it gave none. */
export class TransferError extends AgentError {
  readonly errno: number | null;

  constructor(message: string, errno: number | null, hints: readonly string[]) {
    super('GUEST_FAILED', message, {hints});
    this.errno = errno;
  }
}
