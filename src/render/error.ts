import type {AgentError} from '../model/errors.js';
import type {LogEvent} from './log-event.js';
import {chalkFor, type OutputStream} from './logger.js';
import {printable} from './printable.js';

const MAX_DETAILS = 24;

/** What failed, what was seen, what to do: one arrow a line. */
export const toPrettyError = (error: AgentError, stream: OutputStream): string => {
  const chalk = chalkFor(stream);
  const details = error.details.slice(-MAX_DETAILS).map((line) => `  ${chalk.dim('→')} ${printable(line)}\n`);
  const hints = error.hints.map((line) => `  ${chalk.dim('→')} ${chalk.cyan(printable(line))}\n`);
  return `${chalk.red('error:')} ${printable(error.message)}\n${details.join('')}${hints.join('')}`;
};

/** The fields of an error in a JSON line. */
export const errorFields = (error: AgentError): Record<string, unknown> => ({
  code: error.code,
  hint: error.hints.length > 0 ? error.hints.join('; ') : undefined,
  details: error.details.length > 0 ? error.details : undefined,
});

export const errorEvent = (error: AgentError): LogEvent => ({
  level: 'error',
  message: error.message,
  fields: errorFields(error),
});
