import {toAgentError} from '../model/errors.js';
import type {VmRecord} from '../model/vm-record.js';
import type {VmContext} from './vm-context.js';

/** Undefined where the VM's record is damaged, or gone. */
export const readableRecord = (context: VmContext, id: string): VmRecord | undefined => {
  try {
    return context.store().get(id);
  } catch (thrown) {
    if (toAgentError(thrown).code === 'STATE_CORRUPT') return undefined;
    throw thrown;
  }
};
