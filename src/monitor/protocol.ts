/** What clients and monitor say beside the frames of the guest protocol: docs/monitor-protocol.md. */
import {AgentError, type ErrorCode} from '../model/errors.js';
import type {MonitorStatus} from './monitors.js';

export const monitorVersion = 1;

export const MonitorFrame = {FAILURE: 64, STATUS: 65, DETACH: 66, ATTACH: 67} as const;

export const encodeFailure = ({code, message, details, hints}: AgentError): Buffer =>
  Buffer.from(JSON.stringify({code, message, details, hints}));

export const decodeFailure = (payload: Buffer): AgentError => {
  const {code, message, details, hints} = parse(payload) as Partial<AgentError>;
  return new AgentError((code ?? 'INTERNAL') as ErrorCode, String(message), {
    details: lines(details),
    hints: lines(hints),
  });
};

export const encodeStatus = (status: MonitorStatus): Buffer => Buffer.from(JSON.stringify(status));

/** Throws VM_BUSY where the monitor is of another version of this program. */
export const decodeStatus = (payload: Buffer, id: string): MonitorStatus => {
  const status = parse(payload) as MonitorStatus;
  if (status.version === monitorVersion) return status;
  throw new AgentError('VM_BUSY', `VM '${id}' was booted by another version of this program.`, {
    hints: [`stop it, and it boots again: agent vm stop --vm ${id}`],
  });
};

const parse = (payload: Buffer): object => {
  try {
    const value: unknown = JSON.parse(payload.toString('utf8'));
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // said below
  }
  throw new AgentError('INTERNAL', 'The monitor said something that is no JSON object.');
};

const lines = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
