import type {LogEvent} from './log-event.js';

interface Copied {
  readonly record: {readonly id: string};
  readonly source: string;
  readonly target: string;
  readonly files: number;
  readonly directories: number;
  readonly bytes: number;
  readonly skipped: number;
}

export const copiedEvent = ({record, ...copied}: Copied): LogEvent => ({
  level: 'info',
  message: 'vm copied',
  fields: {
    vm: record.id,
    source: copied.source,
    target: copied.target,
    files: copied.files,
    directories: copied.directories,
    bytes: copied.bytes,
    skipped: copied.skipped,
  },
});
