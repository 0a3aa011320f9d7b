import {AgentError, toAgentError, usageError} from './model/errors.js';

/** Anything thrown while a command ran, as an error of ours: oclif's own are about usage. */
export const explainThrown = (thrown: unknown, commandId: string | undefined): AgentError => {
  if (thrown instanceof AgentError || !isUsage(thrown)) return toAgentError(thrown);
  const [message = '', ...rest] = thrown.message
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('See more help'));
  const help = commandId ? `agent ${commandId.replaceAll(':', ' ')} --help` : 'agent --help';
  const hints = [...rest.filter((line) => !line.includes('USAGE')).slice(0, 4), `see: ${help}`];
  return usageError(message, ...hints);
};

// Errors of oclif carry their exit code; those of parsing and of unknown commands exit with 2.
const isUsage = (thrown: unknown): thrown is Error =>
  thrown instanceof Error && 'oclif' in thrown && (thrown as {oclif?: {exit?: number}}).oclif?.exit === 2;
