import {constants} from 'node:fs';
import {type FileHandle, open} from 'node:fs/promises';
import {Readable} from 'node:stream';
import {AgentError} from '../model/errors.js';
import type {TransferLimits} from './guest.js';
import {fileError, type HostEntry, hostTree, type NamedSource, namedTrees, showPath} from './host-tree.js';
import {encodeEntry, endOfArchive, type NewEntry, paddingFor} from './tar-writer.js';

const CHUNK_BYTES = 64 * 1024;

/** Files and folders of the host as an archive, each by its base name. Errors of the user's files are usage errors. */
export const packFiles = (paths: readonly string[], limits: TransferLimits): Readable =>
  streamOf(entriesOf(hostTree(paths, limits)));

/** The same, each by the name that it is given. */
export const packNamed = (sources: readonly NamedSource[], limits: TransferLimits): Readable =>
  streamOf(entriesOf(namedTrees(sources, limits)));

/** Bytes of the host that have no name there yet: from the file's beginning, as many as `size` says. */
export const packOpen = (file: FileHandle, {name, size}: {name: string; size: number}): Readable =>
  streamOf(openEntry(file, {name: Buffer.from(name), size}));

async function* openEntry(
  file: FileHandle,
  {name, size}: {name: Buffer; size: number},
): AsyncGenerator<Buffer> {
  yield encodeEntry({name, type: 'file', mode: 0o644, mtimeMs: Date.now(), size});
  yield* contentOf(file, {path: name, size});
  yield paddingFor(size);
  yield endOfArchive;
}

export interface SourceFile {
  /** Without a folder. */
  readonly name: string;
  readonly content: Buffer | string;
  /** Without it 0644. */
  readonly mode?: number;
}

/** Files that need not exist on the host; a name may lead into folders. */
export const packSources = (files: readonly SourceFile[]): Readable =>
  Readable.from([...files.flatMap(sourceEntry), endOfArchive], {objectMode: false});

export const packSource = (file: SourceFile): Readable => packSources([file]);

const sourceEntry = ({name, content, mode = 0o644}: SourceFile): Buffer[] => {
  const bytes = Buffer.from(content);
  const header = encodeEntry({
    name: Buffer.from(name),
    type: 'file',
    mode,
    mtimeMs: Date.now(),
    size: bytes.length,
  });
  return [header, bytes, paddingFor(bytes.length)].filter((piece) => piece.length > 0);
};

async function* entriesOf(tree: AsyncIterable<HostEntry>): AsyncGenerator<Buffer> {
  for await (const entry of tree) {
    if (entry.stats.isFile()) yield* fileOf(entry);
    else yield encodeEntry({...common(entry), size: 0, target: entry.target});
  }
  yield endOfArchive;
}

async function* fileOf(entry: HostEntry): AsyncGenerator<Buffer> {
  const file = await openFile(entry.path);
  try {
    const {size} = await file.stat();
    yield encodeEntry({...common(entry), size});
    yield* contentOf(file, {path: entry.path, size});
    yield paddingFor(size);
  } finally {
    await file.close();
  }
}

const common = ({name, stats}: HostEntry): Pick<NewEntry, 'name' | 'type' | 'mode' | 'mtimeMs'> => ({
  name,
  type: stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'symlink',
  mode: stats.mode,
  mtimeMs: stats.mtimeMs,
});

const openFile = async (path: Buffer): Promise<FileHandle> => {
  try {
    // A file that has just become a pipe must not make us wait for its writer.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw fileError(path, error);
  }
};

/** As many bytes as the header promised: what a file grew since is left out, and one that shrank is an error. */
async function* contentOf(
  file: FileHandle,
  {path, size}: {path: Buffer; size: number},
): AsyncGenerator<Buffer> {
  let position = 0;
  while (position < size) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - position));
    const {bytesRead} = await file.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) {
      throw new AgentError('USAGE', `'${showPath(path)}' became shorter while it was copied.`);
    }
    position += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

const streamOf = (pieces: AsyncIterable<Buffer>): Readable =>
  Readable.from(gathered(pieces), {objectMode: false, highWaterMark: CHUNK_BYTES});

/** Headers and small files in larger pieces: each piece becomes a frame. */
async function* gathered(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const piece of pieces) {
    parts.push(piece);
    size += piece.length;
    if (size < CHUNK_BYTES) continue;
    yield Buffer.concat(parts);
    parts = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(parts);
}
