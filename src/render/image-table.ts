import type {GuestImage} from '../model/guest-image.js';
import type {OutputStream} from './logger.js';
import {renderTable} from './table.js';
import {localTime} from './vm-table.js';

interface ImageRow extends GuestImage {
  readonly defaultFor: readonly string[];
}

export const renderImageTable = (stream: OutputStream, images: readonly ImageRow[]): string =>
  renderTable(stream, ['Reference', 'Digest', 'Size', 'Default for', 'Created'], images.flatMap(toRows));

const toRows = (image: ImageRow): string[][] => {
  const references = image.references.length > 0 ? image.references : ['-'];
  return references.map((reference) => [
    reference,
    image.digest.replace('sha256:', '').slice(0, 12),
    `${Math.round(image.sizeBytes / 1024 ** 2)} MiB`,
    image.defaultFor.join(', ') || '-',
    localTime(image.createdAt),
  ]);
};

/** An image as `image list --json` and the log lines show it. */
export const imageToJson = (image: GuestImage): Record<string, unknown> => ({
  digest: image.digest,
  references: image.references,
  size_bytes: image.sizeBytes,
  architecture: image.architecture,
  created_at: image.createdAt,
  config: image.config,
});
