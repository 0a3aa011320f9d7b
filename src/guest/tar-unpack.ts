import {randomBytes} from 'node:crypto';
import {mkdir, mkdtemp, rename, rm, rmdir} from 'node:fs/promises';
import {dirname, resolve} from 'node:path';
import type {Readable} from 'node:stream';
import {AgentError, toAgentError} from '../model/errors.js';
import type {TransferLimits} from './guest.js';
import {readTar, type TarEntry} from './tar-reader.js';
import {tooMuch} from './too-much.js';
import {createUnpackTarget, type UnpackTarget} from './unpack-target.js';

export interface Unpacked {
  readonly files: number;
  readonly directories: number;
  /** Of content. */
  readonly bytes: number;
  /** Entries that have no place on the host: links, devices, names that exist already or are too long. */
  readonly skipped: number;
}

/** Only transfers to one folder at the same time make a swap fail: each of them lets another through. */
const MAX_SWAPS = 50;

/** What may be at the target: a folder that only we write and that is replaced, or nothing that could be lost. */
export type Target = 'replaced' | 'new or empty';

/**
 * Makes `folder` the content of a hostile archive, whole or not at all: what was there stays untouched until the last
 * byte is in. Meanwhile both are on the disk. A folder that is `replaced` must lie where only we write.
 */
export const unpackTo = async (
  folder: string,
  tar: Readable,
  limits: TransferLimits,
  target: Target = 'replaced',
): Promise<Unpacked> => {
  const final = resolve(folder);
  const fresh = await makeFresh(final).catch((error: unknown) => {
    tar.destroy();
    throw toAgentError(error);
  });
  const unpacked = await unpackInto(createUnpackTarget(fresh), tar, limits)
    .catch(async (error: unknown) => {
      await rm(fresh, {recursive: true, force: true});
      throw toAgentError(error);
    })
    .finally(() => tar.destroy());
  if (target === 'replaced') await swap(fresh, final);
  else await takePlace(fresh, final);
  return unpacked;
};

const makeFresh = async (final: string): Promise<string> => {
  await mkdir(dirname(final), {recursive: true, mode: 0o700});
  return await mkdtemp(`${final}.new-`);
};

/** Removes nothing: whoever else can write there could lead a removal anywhere. */
const takePlace = async (fresh: string, final: string): Promise<void> => {
  try {
    await rmdir(final).catch(onlyIf('ENOENT'));
    await rename(fresh, final);
  } catch (error) {
    throw new AgentError('GUEST_FAILED', `'${final}' is not empty any more.`, {
      cause: error,
      details: [`the files of /out are in '${fresh}'`],
      hints: ['name a folder that nothing else writes to'],
    });
  }
};

/** Every entry of a hostile archive, to a target that nobody else writes to. */
export const unpackInto = async (
  place: UnpackTarget,
  tar: Readable,
  {maxBytes, maxEntries}: TransferLimits,
): Promise<Unpacked> => {
  const count = {files: 0, directories: 0, bytes: 0, skipped: 0};
  // The folder itself is an entry too, one that the guest does not count.
  let entriesLeft = maxEntries + 1;
  for await (const entry of readTar(tar)) {
    if (entry.size > maxBytes - count.bytes) throw tooMuch(`${maxBytes} bytes`);
    const placed = await place.place(entry);
    entriesLeft -= Math.max(1, placed.made);
    if (entriesLeft < 0) throw tooMuch(`${maxEntries} entries`);
    // Content that was skipped counts: it was sent, and we had to read it.
    count.bytes += entry.size;
    tally(count, entry, placed);
  }
  return count;
};

const tally = (
  count: {files: number; directories: number; skipped: number},
  {kind}: TarEntry,
  {made, isPlaced}: {made: number; isPlaced: boolean},
): void => {
  const files = kind === 'file' && isPlaced ? 1 : 0;
  count.files += files;
  count.directories += made - files;
  count.skipped += isPlaced ? 0 : 1;
};

/** Two renames: in between, `folder` is not there. A second transfer at the same time goes before or after this one. */
const swap = async (fresh: string, final: string): Promise<void> => {
  for (let attempt = 0; ; attempt += 1) {
    const old = `${final}.old-${randomBytes(4).toString('hex')}`;
    await rename(final, old).catch(onlyIf('ENOENT'));
    const isDone = await rename(fresh, final).then(
      () => true,
      attempt < MAX_SWAPS ? onlyIf('ENOTEMPTY', 'EEXIST') : onlyIf(),
    );
    await rm(old, {recursive: true, force: true});
    if (isDone) return;
  }
};

const onlyIf =
  (...codes: string[]) =>
  (error: NodeJS.ErrnoException): undefined => {
    if (!codes.includes(error.code ?? '')) throw error;
  };
