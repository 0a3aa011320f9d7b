/** Files of this machine into a guest, by the rules of `cp -r` and `docker cp`. */
import {stat} from 'node:fs/promises';
import {basename, posix, resolve} from 'node:path';
import type {Readable} from 'node:stream';
import {checkNamed, type TreeCount} from '../guest/check-files.js';
import type {TransferLimits} from '../guest/guest.js';
import {fileError, showPath} from '../guest/host-tree.js';
import {paced} from '../guest/paced.js';
import {packNamed, packOpen} from '../guest/tar-pack.js';
import {usageError} from '../model/errors.js';
import type {GuestPath, HostPlace} from './copy-places.js';
import {type CopyGuest, type GuestKind, probe, refused, stopIfInterrupted} from './copy-probe.js';
import {type Spool, spool} from './copy-spool.js';

/** Something of this machine that has been looked at: it can be copied. */
export interface InSource {
  /** As it was typed. */
  readonly typed: string;
  /** The name that it gets in a folder; `.` where only its content is meant. */
  readonly name: string;
  readonly isFolder: boolean;
  readonly count: TreeCount;
  /** Its archive, under this name. */
  readonly pack: (name: string) => Readable;
}

interface LookRequest {
  readonly limits: TransferLimits;
  readonly input: Readable;
  /** Where standard input is kept until it is whole. */
  readonly spoolFolder: string;
  readonly signal: AbortSignal;
}

/** Throws USAGE for what cannot be copied. Whoever calls it closes what `opened` is told. */
export const lookAtSources = async (
  places: readonly HostPlace[],
  request: LookRequest,
  opened: (spooled: Spool) => void,
): Promise<InSource[]> => {
  const sources: InSource[] = [];
  let {maxBytes, maxEntries} = request.limits;
  for (const place of places) {
    if (place.kind === 'stream') sources.push(await lookAtStream(request, opened));
    else {
      const source = await lookAtPath(place, {maxBytes, maxEntries});
      refuseSecond(sources, source);
      const {files, directories, skipped, bytes} = source.count;
      maxBytes -= bytes;
      maxEntries -= files + directories + skipped;
      sources.push(source);
    }
  }
  return sources;
};

const lookAtStream = async (
  {input, spoolFolder, limits, signal}: LookRequest,
  opened: (spooled: Spool) => void,
): Promise<InSource> => {
  const spooled = await spool(input, {folder: spoolFolder, maxBytes: limits.maxBytes, signal});
  opened(spooled);
  const {file, size} = spooled;
  return {
    typed: '-',
    name: '',
    isFolder: false,
    count: {files: 1, directories: 0, bytes: size, skipped: 0},
    pack: (name) => packOpen(file, {name, size}),
  };
};

const lookAtPath = async (
  {path, isContent}: {readonly path: string; readonly isContent: boolean},
  limits: TransferLimits,
): Promise<InSource> => {
  const found = await stat(path).catch((error: unknown) => {
    throw fileError(path, error);
  });
  const named = (name: string) => [{path: Buffer.from(path), name: Buffer.from(name)}];
  const name = isContent ? '.' : basename(resolve(path));
  if (name === '') throw usageError(`'${path}' is all of this machine.`, 'name a folder in it');
  return {
    typed: path,
    name,
    isFolder: found.isDirectory(),
    count: await checkNamed(named(name), limits),
    pack: (given) => packNamed(named(given), limits),
  };
};

const refuseSecond = (sources: readonly InSource[], {typed, name}: InSource): void => {
  const other = sources.find((source) => source.name === name && name !== '.');
  if (!other) return;
  throw usageError(
    `'${showPath(other.typed)}' and '${showPath(typed)}' would both be '${showPath(name)}' in the guest.`,
    'rename one of them, or copy them one after the other',
  );
};

interface InRequest extends CopyGuest {
  readonly sources: readonly InSource[];
  readonly target: GuestPath;
  readonly limits: TransferLimits;
  readonly user: string;
  readonly onBytes: (bytes: number) => void;
  readonly onCopied: (source: InSource) => void;
}

/** Everything is looked at before anything is copied. */
export const copyIn = async (request: InRequest): Promise<void> => {
  const {sources, target} = request;
  const kind = await probe(request, target.path);
  if (kind !== 'folder') await checkNewName(request, kind);
  const places = await Promise.all(sources.map((source) => placeFor(request, source, kind)));
  for (const [index, source] of sources.entries()) {
    const place = places[index];
    if (!place) continue;
    stopIfInterrupted(request);
    const tar = paced(source.pack(place.name), {
      phase: `copying '${source.typed}' into the guest`,
      signal: request.signal,
      onBytes: request.onBytes,
    });
    await request.guest.put(place.folder, tar, {...request.limits, user: request.user});
    request.onCopied(source);
  }
};

/** PUT would make the folders above it, where `cp` says that they are missing. */
const checkNewName = async (request: InRequest, kind: GuestKind): Promise<void> => {
  const {sources, target} = request;
  const isFile = sources.some((source) => !source.isFolder);
  if (sources.length > 1 || (target.isFolder && (kind === 'file' || isFile))) {
    throw kind === 'missing'
      ? refused(`There is no folder '${target.path}' in the guest.`, 'make it first: agent vm exec')
      : refused(`'${target.path}' in the guest is not a folder.`);
  }
  const parent = posix.dirname(target.path);
  if ((await probe(request, parent)) !== 'folder') {
    throw refused(`There is no folder '${parent}' in the guest.`, 'make it first: agent vm exec');
  }
};

interface GuestPlace {
  readonly folder: string;
  readonly name: string;
}

const placeFor = async (request: InRequest, source: InSource, kind: GuestKind): Promise<GuestPlace> => {
  const {path} = request.target;
  if (kind !== 'folder') {
    if (kind === 'file' && source.isFolder) throw clash(path, source);
    return {folder: posix.dirname(path), name: posix.basename(path)};
  }
  if (source.name === '') {
    throw refused(`'${path}' in the guest is a folder.`, 'name the file that standard input becomes');
  }
  if (source.name !== '.') {
    const final = posix.join(path, source.name);
    const present = await probe(request, final);
    if (present === (source.isFolder ? 'file' : 'folder')) throw clash(final, source);
  }
  return {folder: path, name: source.name};
};

const clash = (path: string, {typed, isFolder}: InSource) =>
  isFolder
    ? refused(`'${path}' in the guest is not a folder, and '${showPath(typed)}' is one.`)
    : refused(`'${path}' in the guest is a folder, and '${showPath(typed)}' is none.`);
