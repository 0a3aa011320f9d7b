import type {OutputStream} from './logger.js';
import {renderTable} from './table.js';

interface VolumeRow {
  readonly name: string;
  readonly sizeBytes: number | null;
  readonly launcher: string | null;
  readonly usedBy: string | null;
}

export const renderVolumeTable = (stream: OutputStream, volumes: readonly VolumeRow[]): string =>
  renderTable(stream, ['Name', 'Size', 'Launcher', 'Used by'], volumes.map(toRow));

const toRow = ({name, sizeBytes, launcher, usedBy}: VolumeRow): string[] => [
  name,
  sizeBytes === null ? '?' : `${(sizeBytes / 1024 ** 2).toFixed(1)} MiB`,
  launcher ?? '-',
  usedBy ?? '-',
];

/** A volume as `volume list --json` shows it. */
export const volumeToJson = ({name, sizeBytes, launcher, usedBy}: VolumeRow): Record<string, unknown> => ({
  name,
  size_bytes: sizeBytes,
  launcher,
  used_by: usedBy,
});
