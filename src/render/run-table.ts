import type {OutputStream} from './logger.js';
import {renderTable} from './table.js';
import {localTime} from './vm-table.js';

interface RunRow {
  readonly id: string;
  readonly folder: string;
  readonly status: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly exitCode: number | null;
  readonly limit: string | null;
  readonly program: string | null;
  readonly bytes: {readonly stdout: number; readonly stderr: number};
}

const MAX_PROGRAM = 60;

/** Newest last, as the lines of a log are. */
export const renderRunTable = (stream: OutputStream, runs: readonly RunRow[]): string =>
  renderTable(stream, ['Run', 'Status', 'Exit', 'Started', 'Duration', 'Program'], runs.map(toRow));

const toRow = (run: RunRow): string[] => [
  run.id,
  run.status,
  run.exitCode === null ? '-' : String(run.exitCode),
  localTime(run.startedAt),
  duration(run) ?? '-',
  shorten(run.program ?? '-'),
];

const duration = ({startedAt, endedAt}: RunRow): string | null => {
  if (endedAt === null) return null;
  return `${((Date.parse(endedAt) - Date.parse(startedAt)) / 1000).toFixed(3)}s`;
};

const shorten = (text: string): string =>
  text.length > MAX_PROGRAM ? `${text.slice(0, MAX_PROGRAM - 1)}…` : text;

/** A run as `vm logs --list --json` shows it. */
export const runToJson = (run: RunRow): Record<string, unknown> => ({
  run: run.id,
  status: run.status,
  exit_code: run.exitCode,
  limit: run.limit,
  started_at: run.startedAt,
  ended_at: run.endedAt,
  duration: duration(run),
  program: run.program,
  stdout: `${run.folder}/stdout.log`,
  stderr: `${run.folder}/stderr.log`,
  stdout_bytes: run.bytes.stdout,
  stderr_bytes: run.bytes.stderr,
});
