/** The log lines of `vm shell`, and what a person at the terminal reads instead. */
import type {AgentError} from '../model/errors.js';
import type {VmRecord} from '../model/vm-record.js';
import {errorFields} from './error.js';
import type {LogEvent} from './log-event.js';

interface ShellOf {
  readonly record: Pick<VmRecord, 'id' | 'language'>;
  /** `--cmd`, or null: bash, else sh. */
  readonly command: string | null;
}

interface Start {
  /** Whether ctrl-] is of any use. */
  readonly hasTerminal: boolean;
  /** Since when the shell that is entered again was alone; null for a new one. */
  readonly left: Date | null;
  readonly now: Date;
}

export const shellEvent = (shell: ShellOf, {hasTerminal, left, now}: Start): LogEvent => ({
  level: 'info',
  message: 'vm shell',
  fields: {...identity(shell), terminal: hasTerminal, reentered: left !== null},
  text: startText(shell.record.id, hasTerminal, left && ago(now.getTime() - left.getTime())),
});

const startText = (id: string, hasTerminal: boolean, since: string | null): string => {
  if (!hasTerminal) return `${id}: a shell without a terminal`;
  if (since === null) return `${id}: ctrl-] detaches`;
  return `${id}: back in the shell left ${since} ago, --new opens another; ctrl-] detaches`;
};

const ago = (ms: number): string => {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
};

interface End {
  readonly end: 'exited' | 'detached' | 'gone' | 'timed out' | null;
  readonly exitCode: number;
  readonly reason: string | null;
}

/** `vm shell completed`, or `vm shell failed`, by the exit code. */
export const shellEndEvent = (shell: ShellOf, result: End): LogEvent => {
  const {id} = shell.record;
  const {end, exitCode, reason} = result;
  const failure = exitCode === 0 ? {} : {error: failureText(result)};
  const flags = {detached: end === 'detached', timed_out: end === 'timed out', origin: originOf(result)};
  return {
    level: exitCode === 0 ? 'info' : 'error',
    message: exitCode === 0 ? 'vm shell completed' : 'vm shell failed',
    fields: {...identity(shell), exit_code: exitCode, ...failure, ...flags},
    text:
      end === 'detached'
        ? `${id}: detached; back with: agent vm shell --vm ${id}`
        : `${id}: ${reason === null && end === 'exited' ? `the shell has ended, exit code ${exitCode}` : failureText(result)}`,
  };
};

const failureText = ({end, exitCode, reason}: End): string => {
  if (end === 'timed out') return 'timed out';
  if (end === 'gone') return 'the terminal has gone';
  return reason ?? `exit status ${exitCode}`;
};

const originOf = ({end, reason}: End): 'guest' | 'agent' =>
  end === 'exited' && reason === null ? 'guest' : 'agent';

/** The same for a shell that got no verdict: the failure is ours. */
export const shellErrorEvent = (shell: ShellOf, error: AgentError, exitCode: number): LogEvent => ({
  level: 'error',
  message: 'vm shell failed',
  fields: {
    ...identity(shell),
    exit_code: exitCode,
    error: error.message,
    origin: 'agent',
    ...errorFields(error),
  },
});

const identity = ({record, command}: ShellOf): Record<string, unknown> => ({
  vm: record.id,
  language: record.language,
  shell: command ?? 'auto',
});
