import {AgentError} from '../model/errors.js';

/** Nobody listens at a monitor's socket: it has ended, or is just ending. */
export class MonitorGoneError extends AgentError {
  constructor(id: string, cause: unknown) {
    super('VM_BUSY', `The monitor of VM '${id}' does not answer.`, {
      cause,
      hints: [`end what is left of it: agent vm stop --vm ${id}`],
    });
  }
}
