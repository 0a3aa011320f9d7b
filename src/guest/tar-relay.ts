import type {TransferLimits} from './guest.js';
import {pathSteps} from './tar-path.js';
import {readTar, type TarEntry} from './tar-reader.js';
import type {Unpacked} from './tar-unpack.js';
import {encodeEntry, endOfArchive, paddingFor} from './tar-writer.js';
import {tooMuch} from './too-much.js';

interface RelayOptions {
  /** The folder of the new archive that everything lies in; '' for none. */
  readonly top: string;
  readonly limits: TransferLimits;
  readonly write: (bytes: Buffer) => Promise<void>;
}

/**
 * A hostile archive as one that anybody may unpack: written anew, with its files and folders and nothing else. An
 * archive that breaks off is not given its end.
 */
export const relayTar = async (
  tar: AsyncIterable<Buffer>,
  {top, limits, write}: RelayOptions,
): Promise<Unpacked> => {
  const count = {files: 0, directories: 0, bytes: 0, skipped: 0};
  let entriesLeft = limits.maxEntries + 1;
  for await (const entry of readTar(tar)) {
    if (entry.size > limits.maxBytes - count.bytes) throw tooMuch(`${limits.maxBytes} bytes`);
    entriesLeft -= 1;
    if (entriesLeft < 0) throw tooMuch(`${limits.maxEntries} entries`);
    count.bytes += entry.size;
    const counted = await relayEntry(entry, top, write);
    if (counted) count[counted] += 1;
  }
  await write(endOfArchive);
  return count;
};

/** What the entry counts as: nothing, where it is the folder itself. */
const relayEntry = async (
  entry: TarEntry,
  top: string,
  write: RelayOptions['write'],
): Promise<'files' | 'directories' | 'skipped' | undefined> => {
  const steps = pathSteps(entry.name);
  if (steps === undefined || entry.kind === 'other') return 'skipped';
  await writeEntry(entry, [top, ...steps].filter((step) => step !== '').join('/') || '.', write);
  if (entry.kind === 'file') return 'files';
  return steps.length > 0 ? 'directories' : undefined;
};

const writeEntry = async (
  {kind, mode, mtime, size, content}: TarEntry,
  path: string,
  write: RelayOptions['write'],
): Promise<void> => {
  const entry = {name: Buffer.from(path), mode, mtimeMs: mtime * 1000};
  if (kind === 'directory') {
    await write(encodeEntry({...entry, type: 'directory', size: 0}));
    return;
  }
  await write(encodeEntry({...entry, type: 'file', size}));
  for await (const bytes of content()) await write(bytes);
  await write(paddingFor(size));
};
