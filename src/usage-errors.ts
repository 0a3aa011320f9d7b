import {AgentError, toAgentError, usageError} from './model/errors.js';

/** Anything thrown while a command ran, as an error of ours: oclif's own are about usage. */
export const explainThrown = (thrown: unknown, commandId: string | undefined): AgentError => {
  if (thrown instanceof AgentError) return unwrap(thrown);
  if (!isUsage(thrown)) return toAgentError(thrown);
  const [message = '', ...rest] = thrown.message
    .replace(WRAPPING, '$1: ')
    .replace(ENDING, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('The following error'));
  const help = commandId ? `agent ${commandId.replaceAll(':', ' ')} --help` : 'agent --help';
  return usageError(message, ...rest.filter((line) => !line.includes('USAGE')).slice(0, 4), `see: ${help}`);
};

/** `agent vm exec n1` is no command, but `agent vm exec` is one, and its VM has a flag. */
export const explainUnknown = (id: string, isCommand: (id: string) => boolean): AgentError => {
  const words = id.split(':');
  const known = words.slice(0, -1);
  const command = `agent ${known.join(' ')}`;
  if (!isCommand(known.join(':'))) {
    return usageError(
      `There is no command 'agent ${words.join(' ')}'.`,
      `see: ${known.length > 0 ? command : 'agent'} --help`,
    );
  }
  const word = words.at(-1) ?? '';
  const mend =
    known[0] === 'vm' ? `a VM is named with --vm: ${command} --vm ${word}` : `${command} takes no argument`;
  return usageError(`Unexpected argument '${word}'.`, mend, `see: ${command} --help`);
};

// Errors of oclif carry their exit code; those of parsing and of unknown commands exit with 2.
const isUsage = (thrown: unknown): thrown is Error =>
  thrown instanceof Error && 'oclif' in thrown && (thrown as {oclif?: {exit?: number}}).oclif?.exit === 2;

// oclif rewrites the message of what a flag's parser throws: `Parsing --cpu \n\tMESSAGE\nSee more help with --help`.
const WRAPPING = /^Parsing (--\S+) \n\t/;
const ENDING = /\nSee more help with --help$/;

const unwrap = (error: AgentError): AgentError => {
  const message = error.message.replace(WRAPPING, '').replace(ENDING, '');
  return message === error.message ? error : new AgentError(error.code, message, error);
};
