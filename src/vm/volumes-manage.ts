/** `volume list` and `volume remove`. */
import {randomBytes} from 'node:crypto';
import {renameSync} from 'node:fs';
import {lstat, opendir, readdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {type AgentError, toAgentError} from '../model/errors.js';
import type {LauncherName} from '../model/launcher-name.js';
import {isName} from '../model/name.js';
import {reap} from './reap.js';
import type {VmContext} from './vm-context.js';
import {isVolume, makerOf, volumeFolder} from './volumes.js';

export interface Volume {
  readonly name: string;
  /** On the disk of this machine; null where there are too many files in it to count. */
  readonly sizeBytes: number | null;
  /** What made it; null where it does not say. */
  readonly launcher: LauncherName | null;
  /** The id of the VM that has it, or null. */
  readonly usedBy: string | null;
}

/** By name. Changes nothing. */
export const listVolumes = async (context: VmContext): Promise<Volume[]> => {
  const records = context.storeToRead()?.list().records ?? [];
  const names = (await namesIn(context.paths.persist)).filter(isName).sort();
  return await Promise.all(
    names.map(async (name) => ({
      name,
      sizeBytes: await sizeOf(volumeFolder(context, name)),
      launcher: await makerOf(context, name),
      usedBy: records.find(({volume}) => volume === name)?.id ?? null,
    })),
  );
};

const namesIn = async (folder: string): Promise<string[]> => {
  try {
    const entries = await readdir(folder, {withFileTypes: true});
    return entries.filter((entry) => entry.isDirectory()).map(({name}) => name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
};

const MAX_ENTRIES = 100_000;
const BLOCK_BYTES = 512;

/** With krunvm a guest may change the folder meanwhile, and fill it with as many files as it likes. */
const sizeOf = async (folder: string): Promise<number | null> => {
  const open = [folder];
  let [bytes, entries] = [0, 0];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for await (const entry of await opendir(next).catch(() => [])) {
      entries += 1;
      if (entries > MAX_ENTRIES) return null;
      const path = join(next, entry.name);
      const found = await lstat(path).catch(() => undefined);
      bytes += (found?.blocks ?? 0) * BLOCK_BYTES;
      if (found?.isDirectory()) open.push(path);
    }
  }
  return bytes;
};

export interface RemovedVolume {
  readonly name: string;
  /** There was none: somebody may have mistyped it. */
  readonly isGone: boolean;
  readonly error: AgentError | null;
}

/** Each is tried. One that a VM has stays, with VM_BUSY. */
export const removeVolumes = async (
  context: VmContext,
  names: readonly string[],
  onResult: (result: RemovedVolume) => void,
): Promise<RemovedVolume[]> => {
  const results: RemovedVolume[] = [];
  if (context.storeIfAny()) await reap(context);
  for (const name of names) {
    const result = await removeVolume(context, name).then(
      (isGone): RemovedVolume => ({name, isGone, error: null}),
      (thrown: unknown): RemovedVolume => ({name, isGone: false, error: toAgentError(thrown)}),
    );
    results.push(result);
    onResult(result);
  }
  return results;
};

/** Out of the way at once: a VM that is made at this moment gets either all of it or a new one. */
const removeVolume = async (context: VmContext, name: string): Promise<boolean> => {
  // What is no name never was a folder of ours.
  if (!isName(name) || !(await isVolume(context, name))) return true;
  const aside = join(context.paths.persist, `${ASIDE}${randomBytes(6).toString('hex')}`);
  context.store().whileFree(name, () => renameSync(volumeFolder(context, name), aside));
  await removeAbandoned(context);
  return false;
};

/** No name of a volume begins like this. */
const ASIDE = '.removing-';

/** With what a killed removal has left; another that is at work on it now only finds less to remove. */
const removeAbandoned = async ({paths}: VmContext): Promise<void> => {
  const names = (await namesIn(paths.persist)).filter((name) => name.startsWith(ASIDE));
  for (const name of names) await rm(join(paths.persist, name), {recursive: true, force: true});
};
