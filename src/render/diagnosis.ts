import {chalkFor, type OutputStream} from './logger.js';
import {printable} from './printable.js';

interface Finding {
  readonly ok: boolean;
  readonly subject: string;
  readonly seen: string;
  readonly mend?: string;
}

/** `✓ subject  seen`, or `✗ subject  seen` with the mend behind an arrow. */
export const renderFindings = (stream: OutputStream, title: string, findings: readonly Finding[]): string => {
  const chalk = chalkFor(stream);
  const width = Math.max(0, ...findings.map(({subject}) => subject.length)) + 2;
  const lines = findings.map(({ok, subject, seen, mend}) => {
    const mark = ok ? chalk.green('✓') : chalk.red('✗');
    const arrow = mend ? `\n      ${chalk.cyan(`→ ${printable(mend)}`)}` : '';
    return `  ${mark} ${printable(subject).padEnd(width)}${printable(seen)}${arrow}\n`;
  });
  return `${chalk.bold(title)}\n${lines.join('')}`;
};
