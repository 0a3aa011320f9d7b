import {AgentError} from '../model/errors.js';

/** A client broke the protocol: its connection ends with this, and nothing else. */
export class ClientError extends AgentError {
  constructor(what: string) {
    super('INTERNAL', `A client of the monitor broke the protocol: it sent ${what}.`);
  }
}

export const clientError = (what: string): ClientError => new ClientError(what);
