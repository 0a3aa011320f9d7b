import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import {launcherNames} from '../model/launcher-name.js';
import type {VmRecord} from '../model/vm-record.js';
import {changeOwn, settle} from './lifecycle.js';
import {readableRecord} from './readable-record.js';
import {endingsAtOnce, several} from './several.js';
import type {VmContext} from './vm-context.js';
import {hasNamedVolume, volumeFolder, volumeOf} from './volumes.js';

/** Tidies up after processes that were killed: every command that writes calls it first. */
export const reap = async (context: VmContext): Promise<void> => {
  const {records} = context.store().list();
  const orphans = records.filter((record) => isOrphan(context, record));
  await several(orphans, endingsAtOnce(), async ({id}) => {
    await reapOne(context, id).catch(() => {
      // Its record still shows it, and cleaning it tells why it stays. Nobody else's work may fail for it.
    });
  });
};

const isOrphan = (context: VmContext, record: VmRecord): boolean =>
  settle(record, context.isAlive) !== record;

/** As its owner, so that nobody boots it meanwhile and loses that VMM to us. */
const reapOne = async (context: VmContext, id: string): Promise<void> => {
  const {self} = context;
  let orphan: VmRecord | undefined;
  const mine = context.store().update(id, (present) => {
    orphan = isOrphan(context, present) ? present : undefined;
    return orphan ? {...present, owner: self} : present;
  });
  if (!mine || !orphan) return;
  const settled = settle(orphan, context.isAlive);
  await context.launcher(mine.launcher).end({id});
  // Whether a disk that outlives its VM was to go too, only who cleaned it knew.
  if (mine.ephemeral || (mine.status === 'cleaning' && !mine.persist)) {
    await removeVm(context, id, {keepPersist: hasNamedVolume(mine)});
  } else context.store().update(id, (present) => changeOwn(present, self, () => settled));
};

export const vmFolder = (context: VmContext, id: string): string => join(context.paths.vms, id);

/** Removes a VM's files, then its record: whatever interrupts it, the record still tells what is left. */
export const removeVm = async (
  context: VmContext,
  id: string,
  {keepPersist}: {readonly keepPersist: boolean},
): Promise<void> => {
  const {progress} = context;
  const volume = volumeOf(context, id);
  // An interrupted command still cleans up after itself; each step has its own deadline.
  const {signal} = new AbortController();
  const record = readableRecord(context, id);
  for (const name of record ? [record.launcher] : launcherNames) {
    await context.launcher(name).remove({id}, {progress, signal});
  }
  context.monitors.tidy(id);
  await rm(vmFolder(context, id), {recursive: true, force: true});
  if (!keepPersist && volume !== null)
    await rm(volumeFolder(context, volume), {recursive: true, force: true});
  context.store().remove(id);
};
