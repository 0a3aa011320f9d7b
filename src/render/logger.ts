import {appendFileSync} from 'node:fs';
import {Chalk, type ChalkInstance} from 'chalk';
import {type LogEvent, type LogLevel, logLevels, toJsonLine} from './log-event.js';
import {toPrettyLine} from './pretty-event.js';

export interface OutputStream {
  readonly isTTY?: boolean;
  readonly write: (text: string) => unknown;
}

export type LogFormat = 'auto' | 'json' | 'pretty';

export interface LoggerOptions {
  readonly format: LogFormat;
  readonly level: LogLevel;
  /** A file that gets every JSON line too, or null. */
  readonly file: string | null;
}

export interface Logger {
  /** Writes an event to a stream: JSON unless the stream is a terminal, or as the format says. */
  readonly log: (stream: OutputStream, event: LogEvent) => void;
  /** Writes an event to the log file alone, for what is shown in another form. */
  readonly keep: (event: LogEvent) => void;
  /** Whether this stream gets text for people. */
  readonly isPretty: (stream: OutputStream) => boolean;
}

export const createLogger = ({format, level, file}: LoggerOptions): Logger => {
  const isPretty = (stream: OutputStream): boolean =>
    format === 'pretty' || (format === 'auto' && stream.isTTY === true);
  const isWanted = (event: LogEvent): boolean => logLevels.indexOf(event.level) >= logLevels.indexOf(level);
  const append = (line: string): void => {
    if (file !== null) appendFileSync(file, line, {mode: 0o600});
  };
  return {
    isPretty,
    keep: (event) => {
      if (isWanted(event)) append(toJsonLine(event, new Date()));
    },
    log: (stream, event) => {
      if (!isWanted(event)) return;
      const line = toJsonLine(event, new Date());
      stream.write(isPretty(stream) ? toPrettyLine(event, chalkFor(stream)) : line);
      append(line);
    },
  };
};

// NO_COLOR and FORCE_COLOR: https://no-color.org and chalk's own rule; else colour belongs to terminals.
export const chalkFor = (stream: OutputStream): ChalkInstance => {
  const {NO_COLOR, FORCE_COLOR, TERM} = process.env;
  if (NO_COLOR) return new Chalk({level: 0});
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '0') return new Chalk({level: 1});
  return new Chalk({level: stream.isTTY && TERM !== 'dumb' ? 1 : 0});
};
