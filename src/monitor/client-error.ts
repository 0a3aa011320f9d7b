import {AgentError} from '../model/errors.js';

/** A client broke the protocol: its connection ends, and nothing else. */
export const clientError = (what: string): AgentError =>
  new AgentError('INTERNAL', `A client of the monitor broke the protocol: it sent ${what}.`);
