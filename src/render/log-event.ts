/** One event of a command, in the form that scripts read: docs are in the README, the order of keys is part of them. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export interface LogEvent {
  readonly level: LogLevel;
  readonly message: string;
  /** In the order they are written; undefined ones are left out. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** What people read instead. */
  readonly text?: string;
}

export const toJsonLine = ({level, message, fields}: LogEvent, time: Date): string =>
  `${JSON.stringify({level, message, time: time.toISOString(), ...fields})}\n`;
