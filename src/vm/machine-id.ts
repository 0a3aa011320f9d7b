import {createHash} from 'node:crypto';
import type {VmRecord} from '../model/vm-record.js';

/**
 * What a VM's `/etc/machine-id` says, as machine-id(5) has it: the same at each of its boots, another for every VM, and
 * nothing that tells of this machine. A valid UUID of version 4 without its hyphens.
 */
export const machineIdOf = (
  stateFolder: string,
  {id, createdAt}: Pick<VmRecord, 'id' | 'createdAt'>,
): string => {
  const digest = createHash('sha256').update([stateFolder, id, createdAt].join('\0')).digest();
  const bytes = digest.subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex');
};
