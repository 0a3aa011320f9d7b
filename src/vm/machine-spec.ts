import type {MachineSpec} from '../launcher/launcher.js';
import type {GuestImage} from '../model/guest-image.js';
import type {VmRecord} from '../model/vm-record.js';
import {vmFolder} from './reap.js';
import type {VmContext} from './vm-context.js';
import {volumeFolder} from './volumes.js';

/** A VM as a launcher sees it. */
export const machineSpec = (context: VmContext, record: VmRecord, image: GuestImage): MachineSpec => ({
  id: record.id,
  folder: vmFolder(context, record.id),
  persistFolder: record.volume === null ? null : volumeFolder(context, record.volume),
  image,
  cpus: record.cpus,
  memoryMib: record.memoryMib,
  network: record.network,
  ephemeral: record.ephemeral,
  diskMib: record.diskMib,
  guestVolumes: record.guestVolumes,
});
