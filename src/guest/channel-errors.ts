import {AgentError} from '../model/errors.js';

/** The channel ended after the agent had answered. */
export const endedError = (lastLines: readonly string[], cause?: Error): AgentError =>
  new AgentError('GUEST_FAILED', 'The connection to the guest has ended.', withConsole(lastLines, cause));

/** The channel ended before the agent answered. */
export const bootError = (lastLines: readonly string[], cause?: Error): AgentError =>
  new AgentError('BOOT_FAILED', 'The guest ended before its agent answered.', withConsole(lastLines, cause));

/** The agent's last word, from an ERROR frame. */
export const gaveUpError = (text: string, isBooted: boolean, lastLines: readonly string[]): AgentError =>
  new AgentError(
    isBooted ? 'GUEST_FAILED' : 'BOOT_FAILED',
    `The guest agent gave up: ${text}`,
    withConsole(lastLines),
  );

/** The same error, with what the console said last. */
export const withLastLines = (error: AgentError, lastLines: readonly string[]): AgentError =>
  lastLines.length === 0 || error.details.length > 0
    ? error
    : new AgentError(error.code, error.message, {...withConsole(lastLines, error), hints: error.hints});

const withConsole = (
  lastLines: readonly string[],
  cause?: Error,
): {details: readonly string[]; cause?: Error} => ({
  details: lastLines.length > 0 ? ['last console lines:', ...lastLines] : [],
  ...(cause === undefined ? {} : {cause}),
});
