/**
 * Volumes: what lies behind `/persist`. Each is a folder with what its launcher has made in it; it outlives the VM that
 * it was made with, and goes to the next one that names it.
 */
import {randomBytes} from 'node:crypto';
import {mkdir, readFile, rename, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {CreateOptions} from '../model/create-options.js';
import {type AgentError, usageError} from '../model/errors.js';
import {type LauncherName, launcherNames} from '../model/launcher-name.js';
import type {VmRecord} from '../model/vm-record.js';
import {readableRecord} from './readable-record.js';
import type {VmContext} from './vm-context.js';

const MARK = 'volume.json';

export const volumeFolder = (context: VmContext, name: string): string => join(context.paths.persist, name);

/** The name that is known before the VM has an id; null where it gets none, or that of its id. */
export const wantedVolume = ({
  volume,
  persist,
  name,
}: Pick<CreateOptions, 'volume' | 'persist' | 'name'>): string | null => volume ?? (persist ? name : null);

/** One that somebody has named is not a temporary VM's to remove. */
export const hasNamedVolume = ({id, volume}: Pick<VmRecord, 'id' | 'volume'>): boolean =>
  volume !== null && volume !== id;

/** The volume that goes with a VM, whose record may be damaged or gone; null where another VM has it. */
export const volumeOf = (context: VmContext, id: string): string | null => {
  const own = readableRecord(context, id);
  const volume = own ? own.volume : id;
  if (volume === null) return null;
  const {records} = context.store().list();
  const isAnothers = records.some((record) => record.id !== id && record.volume === volume);
  return isAnothers ? null : volume;
};

export const isVolume = async (context: VmContext, name: string): Promise<boolean> =>
  await stat(volumeFolder(context, name)).then(
    () => true,
    () => false,
  );

/** What is there is kept. */
export const makeVolume = async (folder: string, launcher: LauncherName): Promise<void> => {
  await mkdir(folder, {recursive: true, mode: 0o700});
  if ((await readMaker(folder)) !== null) return;
  const temporary = join(folder, `.making-${process.pid}-${randomBytes(4).toString('hex')}`);
  await writeFile(temporary, `${JSON.stringify({launcher})}\n`, {mode: 0o600});
  await rename(temporary, join(folder, MARK));
};

/** The launcher whose volume it is; null where there is none, or none that says so. */
export const makerOf = (context: VmContext, name: string): Promise<LauncherName | null> =>
  readMaker(volumeFolder(context, name));

const readMaker = async (folder: string): Promise<LauncherName | null> => {
  const text = await readFile(join(folder, MARK), 'utf8').catch(() => '');
  return launcherNames.find((launcher) => text === `${JSON.stringify({launcher})}\n`) ?? null;
};

export const foreignVolume = (name: string, maker: LauncherName, wanted: string): AgentError =>
  usageError(
    `The volume '${name}' was made by ${maker}, and ${wanted} cannot use it.`,
    `use it with: --launcher ${maker}`,
    'or choose another --volume',
  );
