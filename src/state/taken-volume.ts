import {AgentError} from '../model/errors.js';
import type {VmRecord} from '../model/vm-record.js';

/** One VM at a time has a volume: two guests that write to one disk destroy it. */
export const refuseTakenVolume = (records: readonly VmRecord[], volume: string | null): void => {
  const holder = volume === null ? undefined : records.find((record) => record.volume === volume);
  if (!holder) return;
  const {id, name} = holder;
  throw new AgentError('VM_BUSY', `The volume '${volume}' belongs to VM '${name ?? id}'.`, {
    hints: [
      `clean that VM and keep its volume: agent vm clean --vm ${name ?? id} --keep-persist`,
      'or choose another --volume',
    ],
  });
};
