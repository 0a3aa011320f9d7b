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
  readonly reentered: {readonly command: string; readonly sinceMs: number} | null;
}

export const shellEvent = (shell: ShellOf, {hasTerminal, reentered}: Start): LogEvent => ({
  level: 'info',
  message: 'vm shell',
  fields: {...identity(shell), terminal: hasTerminal, reentered: reentered !== null},
  ...(hasTerminal ? {text: startText(shell.record.id, reentered)} : {}),
});

const startText = (id: string, reentered: Start['reentered']): string => {
  if (!reentered) return `${id}: ctrl-] detaches`;
  return `${id}: back in the shell left ${ago(reentered.sinceMs)} ago (--new starts another); ctrl-] detaches`;
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
