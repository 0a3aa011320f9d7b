import {AgentError, toAgentError, usageError} from './model/errors.js';

/** Anything thrown while a command ran, as an error of ours: oclif's own are about usage. */
export const explainThrown = (thrown: unknown, commandId: string | undefined): AgentError => {
  if (thrown instanceof AgentError) return unwrap(thrown);
  if (!isUsage(thrown)) return toAgentError(thrown);
  const [message = '', ...rest] = thrown.message
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('See more help'));
  const help = commandId ? `agent ${commandId.replaceAll(':', ' ')} --help` : 'agent --help';
  const hints = [...rest.filter((line) => !line.includes('USAGE')).slice(0, 4), `see: ${help}`];
  return usageError(message.replace(/^command (\S+) not found$/, unknownCommand), ...hints);
};

// Errors of oclif carry their exit code; those of parsing and of unknown commands exit with 2.
const isUsage = (thrown: unknown): thrown is Error =>
  thrown instanceof Error && 'oclif' in thrown && (thrown as {oclif?: {exit?: number}}).oclif?.exit === 2;

const unknownCommand = (_: string, id: string): string =>
  `There is no command 'agent ${id.replaceAll(':', ' ')}'.`;

// oclif rewrites the message of what a flag's parser throws: `Parsing --cpu \n\tMESSAGE\nSee more help with --help`.
const unwrap = (error: AgentError): AgentError => {
  const message = error.message
    .replace(/^Parsing --\S+ \n\t/, '')
    .replace(/\nSee more help with --help$/, '');
  return message === error.message ? error : new AgentError(error.code, message, error);
};
