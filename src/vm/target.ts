import {join} from 'node:path';
import type {MachineSpec} from '../launcher/launcher.js';
import {AgentError} from '../model/errors.js';
import type {GuestImage} from '../model/guest-image.js';
import type {Phases} from '../model/run-report.js';
import type {VmRecord} from '../model/vm-record.js';
import {machineSpec} from './machine-spec.js';
import type {VmContext} from './vm-context.js';

/** A VM, and what a command in it needs to know of it. */
export interface Target {
  readonly record: VmRecord;
  readonly spec: MachineSpec;
  readonly image: GuestImage;
  /** Phases that came before. */
  readonly phases?: Phases;
  /** Folder of the host for /out. */
  readonly outFolder: string | null;
}

/** The image a VM was made with; throws IMAGE_NOT_FOUND where it was removed since. */
export const targetOf = (context: VmContext, record: VmRecord): Target => {
  if (record.image.digest === null) throw neverMade(record);
  const image = context.images.find(record.image.digest);
  if (!image) {
    throw new AgentError(
      'IMAGE_NOT_FOUND',
      `The image of VM '${record.id}' is gone: ${record.image.reference}.`,
      {
        hints: [
          `fetch it again: agent image pull ${record.image.reference}`,
          `or remove the VM: agent vm clean --vm ${record.id}`,
        ],
      },
    );
  }
  const spec = machineSpec(context, record, image);
  return {record, spec, image, outFolder: join(spec.folder, 'out')};
};

const neverMade = (record: VmRecord): AgentError =>
  new AgentError('VM_FAILED', `VM '${record.id}' is ${record.status}: it is not made yet.`, {
    details: record.failure === null ? [] : [record.failure],
    hints: [`remove it, and make another: agent vm clean --vm ${record.id}`],
  });
