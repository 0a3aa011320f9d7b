import type {ShownStatus, VmRecord} from '../model/vm-record.js';
import type {OutputStream} from './logger.js';
import {renderTable} from './table.js';

const head = ['ID', 'Language', 'Status', 'CPU', 'Mem(MiB)', 'Persist', 'Created', 'Last Run'];

interface ShownVm {
  readonly record: VmRecord;
  readonly status: ShownStatus;
}

export const renderVmTable = (stream: OutputStream, vms: readonly ShownVm[]): string =>
  renderTable(stream, head, vms.map(toRow));

const toRow = ({record, status}: ShownVm): string[] => [
  record.name ? `${record.id} (${record.name})` : record.id,
  record.language ?? '-',
  status,
  String(record.cpus),
  String(record.memoryMib),
  record.persist ? 'yes' : 'no',
  localTime(record.createdAt),
  record.lastRunAt === null ? '-' : localTime(record.lastRunAt),
];

/** `2026-01-31 12:00:00` in the local time zone. */
export const localTime = (iso: string): string => {
  const date = new Date(iso);
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
};
