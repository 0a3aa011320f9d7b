import {AgentError} from '../model/errors.js';

/** The guest broke the protocol: the channel is closed with this. `what` names the violation. */
export const protocolError = (what: string): AgentError =>
  new AgentError('GUEST_PROTOCOL', `The guest broke the protocol: ${what}.`);
