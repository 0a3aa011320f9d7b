/** Files of a guest to this machine, by the rules of `cp -r` and `docker cp`, whole or not at all. */
import {mkdtemp, rename, rm, rmdir, stat} from 'node:fs/promises';
import {basename, dirname, join, posix, resolve} from 'node:path';
import type {Readable} from 'node:stream';
import type {TransferLimits} from '../guest/guest.js';
import {paced} from '../guest/paced.js';
import {withSingleFile} from '../guest/single-file.js';
import {relayTar} from '../guest/tar-relay.js';
import {type Unpacked, unpackInto} from '../guest/tar-unpack.js';
import {createUnpackTarget} from '../guest/unpack-target.js';
import {AgentError, toAgentError, usageError} from '../model/errors.js';
import type {Sink} from '../model/sink.js';
import {clashAt, mergeInto, whatIs} from './copy-merge.js';
import type {GuestPath, HostPlace} from './copy-places.js';
import {type CopyGuest, missing, probe, refused, stopIfInterrupted} from './copy-probe.js';

/** Where the files go, looked at before there is a VM. */
export type OutTarget =
  | {readonly kind: 'stream'; readonly sink: Sink; readonly isTerminal: boolean}
  /** A folder that is there: what is copied gets its own name in it. */
  | {readonly kind: 'folder'; readonly path: string}
  /** The name of what is copied; `isFolder` where only a folder may have it. */
  | {readonly kind: 'name'; readonly path: string; readonly isFolder: boolean};

/** Throws USAGE where nothing could be put. */
export const lookAtTarget = async (
  place: HostPlace,
  sources: readonly GuestPath[],
  stream: {readonly sink: Sink; readonly isTerminal: boolean},
): Promise<OutTarget> => {
  const isOne = sources.length === 1;
  if (place.kind === 'stream') {
    if (isOne) return {kind: 'stream', ...stream};
    throw usageError('Only one source goes to standard output.', 'copy them one after the other');
  }
  const found = await stat(place.path).catch(() => undefined);
  const target: OutTarget = found?.isDirectory()
    ? {kind: 'folder', path: resolve(place.path)}
    : {kind: 'name', path: resolve(place.path), isFolder: place.path.endsWith('/')};
  const shown = place.path;
  if (target.kind === 'name' && !isOne) throw usageError(`'${shown}' is not a folder.`, 'make it first');
  if (found && target.kind === 'name' && target.isFolder) throw usageError(`'${shown}' is not a folder.`);
  await tryBeside(shown, target);
  return target;
};

/** Files come to a folder beside their place first, so that is what has to be possible. */
const tryBeside = async (shown: string, target: OutTarget): Promise<void> => {
  if (target.kind === 'stream') return;
  try {
    await rmdir(await makeFresh(folderOf(target)));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw usageError(`Nothing can be written to '${shown}': ${reason}`, 'the folder above it must be there');
  }
};

const folderOf = ({kind, path}: Exclude<OutTarget, {readonly kind: 'stream'}>): string =>
  kind === 'folder' ? path : dirname(path);

const makeFresh = (folder: string): Promise<string> => mkdtemp(join(folder, '.agent-copy-'));

interface OutRequest extends CopyGuest {
  readonly target: OutTarget;
  readonly limits: TransferLimits;
  readonly onBytes: (bytes: number) => void;
}

/** One source. Throws GUEST_FAILED for what is not there, USAGE for what has no place here. */
export const copyOut = async (request: OutRequest, source: GuestPath): Promise<Unpacked> => {
  const kind = await probe(request, source.path);
  if (kind === 'missing') throw missing(source.path);
  if (kind === 'file' && source.isFolder) throw refused(`'${source.path}' in the guest is not a folder.`);
  const {target} = request;
  if (kind === 'file') {
    const tar = open(request, source, true);
    return target.kind === 'stream'
      ? await streamFile(tar, request, target.sink)
      : await fetchFile(tar, request, await filePlace(target, posix.basename(source.path)));
  }
  if (target.kind === 'stream') return await streamFolder(request, source, target);
  return await fetchFolder(request, source, await folderPlace(target, source));
};

const open = ({guest, limits, signal, onBytes}: OutRequest, {path}: GuestPath, isFile: boolean): Readable =>
  paced(guest.get(path, {...limits, isFile}), {phase: `copying '${path}' out of the guest`, signal, onBytes});

const fileCount = (bytes: number): Unpacked => ({files: 1, directories: 0, bytes, skipped: 0});

const streamFile = async (tar: Readable, {limits}: OutRequest, sink: Sink): Promise<Unpacked> => {
  const bytes = await withSingleFile(tar, limits.maxBytes, async ({content}) => {
    for await (const piece of content()) await sink.write(piece);
  });
  return fileCount(bytes);
};

const streamFolder = async (
  request: OutRequest,
  source: GuestPath,
  {sink, isTerminal}: {readonly sink: Sink; readonly isTerminal: boolean},
): Promise<Unpacked> => {
  if (isTerminal) {
    throw usageError(
      `'${source.path}' is a folder, and its archive is nothing for a terminal.`,
      `send it to a file: agent vm cp ${source.typed} - > files.tar`,
    );
  }
  const top = source.isContent ? '' : posix.basename(source.path);
  return await relayTar(open(request, source, false), {top, limits: request.limits, write: sink.write});
};

type NamedTarget = Exclude<OutTarget, {readonly kind: 'stream'}>;

const filePlace = async (target: NamedTarget, name: string): Promise<string> => {
  if (target.kind === 'name' && target.isFolder) {
    throw usageError(`There is no folder '${target.path}'.`, 'make it first');
  }
  const final = target.kind === 'folder' ? join(target.path, name) : target.path;
  if ((await whatIs(final))?.isDirectory()) throw clashAt(final, false);
  return final;
};

/** Only the folder that was named itself may be a link to one. */
const folderPlace = async (target: NamedTarget, {path, isContent}: GuestPath): Promise<string> => {
  const isItself = target.kind === 'name' || isContent;
  const final = isItself ? target.path : join(target.path, posix.basename(path));
  if (target.kind === 'folder' && isItself) return final;
  const present = await whatIs(final);
  if (present && !present.isDirectory()) throw clashAt(final, true);
  return final;
};

const fetchFile = async (tar: Readable, request: OutRequest, final: string): Promise<Unpacked> =>
  await withFresh(dirname(final), final, async (fresh) => {
    const name = 'file';
    const place = createUnpackTarget(fresh);
    const bytes = await withSingleFile(tar, request.limits.maxBytes, async (entry) => {
      await place.place({...entry, name: Buffer.from(name)});
    });
    stopIfInterrupted(request);
    await rename(join(fresh, name), final);
    return fileCount(bytes);
  });

const fetchFolder = async (request: OutRequest, source: GuestPath, final: string): Promise<Unpacked> => {
  const isThere = (await stat(final).catch(() => undefined)) !== undefined;
  return await withFresh(isThere ? final : dirname(final), final, async (fresh) => {
    const place = createUnpackTarget(fresh);
    const count = await unpackInto(place, open(request, source, false), request.limits);
    stopIfInterrupted(request);
    if (isThere) await mergeInto(fresh, final);
    else {
      await place.finish();
      await rename(fresh, final);
    }
    return count;
  });
};

const withFresh = async (
  folder: string,
  final: string,
  use: (fresh: string) => Promise<Unpacked>,
): Promise<Unpacked> => {
  const fresh = await makeFresh(folder);
  try {
    return await use(fresh);
  } catch (thrown) {
    throw explain(thrown, final);
  } finally {
    await rm(fresh, {recursive: true, force: true});
  }
};

/** What this machine's file system says is about the target, not a mistake of ours. */
const explain = (thrown: unknown, final: string): AgentError => {
  const error = toAgentError(thrown);
  if (error.code !== 'INTERNAL' || !(thrown instanceof Error && 'syscall' in thrown)) return error;
  return new AgentError('USAGE', `'${basename(final)}' cannot be written: ${thrown.message}`, {
    cause: thrown,
  });
};
