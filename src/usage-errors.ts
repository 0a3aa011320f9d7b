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

/** `agent vm exec n1 ls` is no command, but `agent vm exec` is one, and its VM has a flag, as its command has. */
export const explainUnknown = (id: string, isCommand: (id: string) => boolean): AgentError => {
  const words = id.split(':');
  const length = words.findLastIndex((_, index) => isCommand(words.slice(0, index + 1).join(':'))) + 1;
  const [known, rest] = [words.slice(0, length), words.slice(length)];
  const above = length === 0 ? words.slice(0, words.length > 1 ? 1 : 0) : known;
  const help = `see: ${['agent', ...above].join(' ')} --help`;
  if (length === 0) return usageError(`There is no command 'agent ${words.join(' ')}'.`, help);
  return usageError(`Unexpected argument '${rest[0]}'.`, mendFor(known, rest), help);
};

const TAKES_CMD: readonly string[] = ['exec', 'run', 'shell'];

const mendFor = (known: readonly string[], [vm = '', ...command]: readonly string[]): string => {
  const name = `agent ${known.join(' ')}`;
  if (known[0] !== 'vm') return `${name} takes no argument`;
  const cmd = TAKES_CMD.includes(known[1] ?? '') && command.length > 0 ? ` --cmd '${command.join(' ')}'` : '';
  return `a VM is named with --vm: ${name} --vm ${vm}${cmd}`;
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
