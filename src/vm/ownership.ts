/** What a process does with a VM, it does as its owner: once another has taken the VM, it ends and says who it was. */
import {AgentError, toAgentError} from '../model/errors.js';
import type {ProcessRef, VmRecord} from '../model/vm-record.js';
import {letGo, owns} from './lifecycle.js';
import type {VmContext} from './vm-context.js';

const LOOK_MS = 100;

/** Does `work` in a context that is told to end when the VM is taken; the error then says by whom. */
export const whileOwned = async <T>(
  context: VmContext,
  id: string,
  work: (held: VmContext) => Promise<T>,
): Promise<T> => {
  const watch = watchOwner(context, id);
  try {
    return await work({...context, signal: AbortSignal.any([context.signal, watch.signal])});
  } catch (error) {
    watch.look();
    throw context.signal.aborted ? error : (watch.reason() ?? error);
  } finally {
    watch.end();
    context.store().update(id, (present) => letGo(present, context.self));
  }
};

interface Watch {
  readonly signal: AbortSignal;
  readonly look: () => void;
  /** Why the work shall end, or undefined while the VM is ours. */
  readonly reason: () => AgentError | undefined;
  readonly end: () => void;
}

const watchOwner = (context: VmContext, id: string): Watch => {
  const taken = new AbortController();
  let reason: AgentError | undefined;
  const look = (): void => {
    reason ??= whyLost(context, id);
    if (reason) taken.abort();
  };
  const timer = setInterval(look, LOOK_MS).unref();
  return {signal: taken.signal, look, reason: () => reason, end: () => clearInterval(timer)};
};

const whyLost = (context: VmContext, id: string): AgentError | undefined => {
  try {
    const record = context.store().get(id);
    return !record || isTaken(record, context.self) ? takenError(id, record) : undefined;
  } catch (error) {
    return toAgentError(error);
  }
};

// Nobody owns what we have let go ourselves; a VM that was stopped is nobody's either.
const isTaken = (record: VmRecord, self: ProcessRef): boolean =>
  !owns(record, self) && (record.owner !== null || record.status === 'stopped');

/** Says who has taken a VM, or that it is gone. */
export const takenError = (id: string, record: VmRecord | undefined): AgentError => {
  if (!record) return lostError(`VM '${id}' was removed by another process.`);
  const what = record.status === 'cleaning' ? 'cleaned' : 'stopped';
  return lostError(
    `VM '${id}' was ${what} by ${record.owner ? `process ${record.owner.pid}` : 'another process'}.`,
  );
};

const lostError = (message: string): AgentError =>
  new AgentError('VM_BUSY', message, {hints: ['see what there is: agent vm list --all']});
