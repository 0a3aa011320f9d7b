import {BLOCK_BYTES, encodeHeader} from './tar-header.js';
import {encodePax} from './tar-pax.js';

/** An entry for an archive that we make ourselves. */
export interface NewEntry {
  readonly name: Buffer;
  readonly type: 'file' | 'directory' | 'symlink';
  readonly mode: number;
  readonly mtimeMs: number;
  /** Of the content, which follows the header and `paddingFor(size)`; 0 unless it is a file. */
  readonly size: number;
  readonly target?: Buffer | undefined;
}

export const endOfArchive: Buffer = Buffer.alloc(2 * BLOCK_BYTES);

export const paddingFor = (size: number): Buffer =>
  Buffer.alloc((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES);

/** The header, behind a pax header for what does not fit into it. */
export const encodeEntry = ({name, type, mode, mtimeMs, size, target}: NewEntry): Buffer => {
  const path = type === 'directory' ? Buffer.concat([name, Buffer.from('/')]) : name;
  const place = splitPath(path);
  const isLarge = size > MAX_SIZE;
  const isFar = target !== undefined && target.length > NAME_BYTES;
  const pax = Buffer.concat([
    ...(place === undefined ? [encodePax('path', path)] : []),
    ...(isFar ? [encodePax('linkpath', target)] : []),
    ...(isLarge ? [encodePax('size', Buffer.from(String(size)))] : []),
  ]);
  const common = {mode: mode & 0o777, mtime: clampedSeconds(mtimeMs)};
  const header = encodeHeader({
    ...common,
    ...(place ?? {name: path.subarray(0, NAME_BYTES)}),
    type: typeFlags[type],
    size: isLarge ? 0 : size,
    ...(target === undefined ? {} : {target: target.subarray(0, NAME_BYTES)}),
  });
  if (pax.length === 0) return header;
  const paxHeader = encodeHeader({...common, name: Buffer.from('PaxHeader'), type: 'x', size: pax.length});
  return Buffer.concat([paxHeader, pax, paddingFor(pax.length), header]);
};

const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
const MAX_SIZE = 0o77777777777;
const MAX_SECONDS = 0o77777777777;
const SLASH = 0x2f;
const typeFlags = {file: '0', directory: '5', symlink: '2'} as const;

/** A name too long for its field may be cut at a slash, the first part going into the prefix. */
const splitPath = (path: Buffer): {name: Buffer; prefix?: Buffer} | undefined => {
  if (path.length <= NAME_BYTES) return {name: path};
  // The slash itself is in neither part, and the last one of a directory stays where it is.
  const cut = path.indexOf(SLASH, path.length - NAME_BYTES - 1);
  if (cut < 1 || cut > PREFIX_BYTES || cut === path.length - 1) return undefined;
  return {prefix: path.subarray(0, cut), name: path.subarray(cut + 1)};
};

const clampedSeconds = (ms: number): number => Math.min(Math.max(Math.floor(ms / 1000), 0), MAX_SECONDS);
