import {AgentError} from '../model/errors.js';

/** The guest sends more than was asked for at most. */
export const tooMuch = (limit: string): AgentError =>
  new AgentError('GUEST_FAILED', `The guest's files exceed the limit of ${limit}.`, {
    hints: ['copy fewer or smaller files, or more of them with: agent vm cp --max-size 8G'],
  });
