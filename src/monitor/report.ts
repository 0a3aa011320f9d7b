/** What a monitor tells whoever started it, as NDJSON on its standard output, until the VM is up. */
import type {AgentError} from '../model/errors.js';
import {decodeFailure, encodeFailure} from './protocol.js';

export type MonitorReport =
  | {readonly kind: 'step' | 'detail'; readonly text: string}
  | {readonly kind: 'up'}
  | {readonly kind: 'failed'; readonly error: AgentError};

export const encodeReport = (report: MonitorReport): string => {
  const value =
    report.kind === 'failed' ? {kind: 'failed', error: String(encodeFailure(report.error))} : report;
  return `${JSON.stringify(value)}\n`;
};

/** Undefined where the line is no report. */
export const decodeReport = (line: string): MonitorReport | undefined => {
  const value = tryParse(line);
  if (value?.kind === 'up') return {kind: 'up'};
  if (value?.kind === 'failed')
    return {kind: 'failed', error: decodeFailure(Buffer.from(String(value.error)))};
  if (value?.kind === 'step' || value?.kind === 'detail') return {kind: value.kind, text: String(value.text)};
  return undefined;
};

const tryParse = (line: string): Record<string, unknown> | null => {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' ? (value as Record<string, unknown>) : null;
  } catch {
    return null; // a warning of Node's, for example
  }
};
