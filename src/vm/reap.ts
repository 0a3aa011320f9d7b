import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import type {VmRecord} from '../model/vm-record.js';
import {settle} from './lifecycle.js';
import type {VmContext} from './vm-context.js';

/** Tidies up after processes that were killed: every command that writes calls it first. */
export const reap = async (context: VmContext): Promise<void> => {
  const {records} = context.store().list();
  for (const record of records) {
    if (settle(record, context.isAlive) !== record) await settleForGood(context, record);
  }
};

const settleForGood = async (context: VmContext, record: VmRecord): Promise<void> => {
  await context.launcher(record.launcher).destroy({...record, folder: vmFolder(context, record.id)});
  if (record.ephemeral || record.status === 'cleaning')
    await removeVm(context, record.id, {keepPersist: false});
  else context.store().update(record.id, (present) => settle(present, context.isAlive));
};

export const vmFolder = (context: VmContext, id: string): string => join(context.paths.vms, id);

export const persistFolder = (context: VmContext, id: string): string => join(context.paths.persist, id);

/** Removes a VM's files, then its record: whatever interrupts it, the record still tells what is left. */
export const removeVm = async (
  context: VmContext,
  id: string,
  {keepPersist}: {readonly keepPersist: boolean},
): Promise<void> => {
  await rm(vmFolder(context, id), {recursive: true, force: true});
  if (!keepPersist) await rm(persistFolder(context, id), {recursive: true, force: true});
  context.store().remove(id);
};
