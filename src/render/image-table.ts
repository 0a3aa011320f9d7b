import type {GuestImage} from '../model/guest-image.js';
import type {OutputStream} from './logger.js';
import {renderTable} from './table.js';
import {type ShownTemplate, templateToJson} from './template-events.js';
import {localTime} from './vm-table.js';

interface ImageRow extends GuestImage {
  readonly defaultFor: readonly string[];
  readonly templates: readonly ShownTemplate[];
}

export const renderImageTable = (stream: OutputStream, images: readonly ImageRow[]): string =>
  renderTable(stream, HEAD, images.flatMap(toRows));

const HEAD = ['Reference', 'Digest', 'Size', 'Default for', 'Warm for', 'Created'];

const toRows = (image: ImageRow): string[][] => {
  const references = image.references.length > 0 ? image.references : ['-'];
  return references.map((reference) => [
    reference,
    image.digest.replace('sha256:', '').slice(0, 12),
    inMib(image.sizeBytes),
    image.defaultFor.join(', ') || '-',
    image.templates.map(warmFor).join('; ') || '-',
    localTime(image.createdAt),
  ]);
};

const inMib = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`;

/** `cpu 1, mem 256, none (62 MiB)`: the VMs that start from it, and what it takes on disk. */
const warmFor = ({cpus, memoryMib, network, sizeBytes}: ShownTemplate): string =>
  `cpu ${cpus}, mem ${memoryMib}, ${network} (${inMib(sizeBytes)})`;

/** One of `image list --json`. */
export const imageRowToJson = (image: ImageRow): Record<string, unknown> => ({
  ...imageToJson(image),
  default_for: image.defaultFor,
  templates: image.templates.map(templateToJson),
});

/** An image as the log lines show it. */
export const imageToJson = (image: GuestImage): Record<string, unknown> => ({
  digest: image.digest,
  references: image.references,
  size_bytes: image.sizeBytes,
  architecture: image.architecture,
  created_at: image.createdAt,
  config: image.config,
});
