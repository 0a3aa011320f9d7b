import type {MachineSpec} from '../launcher/launcher.js';
import type {GuestImage} from '../model/guest-image.js';
import type {VmRecord} from '../model/vm-record.js';
import {persistFolder, vmFolder} from './reap.js';
import type {VmContext} from './vm-context.js';

/** A VM as a launcher sees it. */
export const machineSpec = (context: VmContext, record: VmRecord, image: GuestImage): MachineSpec => ({
  id: record.id,
  folder: vmFolder(context, record.id),
  persistFolder: record.persist ? persistFolder(context, record.id) : null,
  image,
  cpus: record.cpus,
  memoryMib: record.memoryMib,
  network: record.network,
  ephemeral: record.ephemeral,
  guestVolumes: record.guestVolumes,
});
