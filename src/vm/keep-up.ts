/** What a monitor does with its VM: boots it, serves it to clients, ends it, and keeps the record true throughout. */
import {setTimeout as sleep} from 'node:timers/promises';
import {AgentError, toAgentError} from '../model/errors.js';
import type {VmRecord} from '../model/vm-record.js';
import {type ServedGuest, serveGuest} from '../monitor/serve-guest.js';
import {type BootedMachine, bootMachine} from './boot-machine.js';
import {explainDeath} from './explain-death.js';
import {changeOwn, claim, letGo, moveTo, owns} from './lifecycle.js';
import {takenError} from './ownership.js';
import {vmFolder} from './reap.js';
import {sweepOut} from './sweep-out.js';
import {targetOf} from './target.js';
import type {VmContext} from './vm-context.js';

/** How long the guest's processes get between SIGTERM and SIGKILL. */
const STOP_GRACE_MS = 5_000;
/** Where what they would write is thrown away. */
const CLEAN_GRACE_MS = 300;
const SHUTDOWN_MS = 12_000;
const POWER_OFF_MS = 3_000;

/** Resolves when the VM is down. `context.signal` asks for that. Throws what kept it from booting. */
export const keepUp = async (context: VmContext, id: string, onUp: () => void): Promise<void> => {
  const socket = context.monitors.socketOf(id);
  const record = context.store().update(id, (present) => claim(present, 'booting', {...context, socket}));
  if (!record) throw new AgentError('VM_NOT_FOUND', `No VM named '${id}'.`);
  const {booted, served} = await start(context, record, socket);
  onUp();
  const ending = await untilEnding(context, {record, booted, served});
  // With its socket: whoever wants it waits for our end, and boots it again.
  change(context, id, (own) => moveTo(own, {...own, status: 'stopping'}));
  const told = served.end(ending.error);
  await powerOff(context, record, booted);
  await told;
  finish(context, id, ending);
};

interface Up {
  readonly booted: BootedMachine;
  readonly served: ServedGuest;
}

const start = async (context: VmContext, record: VmRecord, path: string): Promise<Up> => {
  try {
    await sweepOut(vmFolder(context, record.id));
    const booted = await bootMachine(context, {record, spec: targetOf(context, record).spec});
    const {accelerator} = booted.machine;
    const {idleTimeoutMs} = record;
    const served = await serveGuest({...booted, path, accelerator, idleTimeoutMs}).catch(async (error) => {
      await booted.machine.kill();
      throw error;
    });
    return {booted, served};
  } catch (thrown) {
    const error = toAgentError(thrown);
    const taken = lossOf(context, record.id);
    const failure = context.signal.aborted ? null : error.message;
    finish(context, record.id, {status: failure ? 'failed' : 'ready', failure, ended: null});
    throw taken ?? error;
  }
};

interface End {
  readonly status: 'ready' | 'stopped' | 'failed';
  readonly failure: string | null;
  /** For people: why it went down. */
  readonly ended: string | null;
}

interface Ending extends End {
  /** For those who were at work in it. */
  readonly error: AgentError;
}

const untilEnding = async (
  context: VmContext,
  {record, booted, served}: Up & {readonly record: VmRecord},
): Promise<Ending> => {
  const asked = new Promise<'asked'>((resolve) => {
    if (context.signal.aborted) resolve('asked');
    context.signal.addEventListener('abort', () => resolve('asked'));
  });
  const died = booted.guest.closed.then((error) =>
    explainDeath(vmFolder(context, record.id), error ? toAgentError(error) : diedError(record.id)),
  );
  const why = await Promise.race([asked, died, served.idle, served.stuck]);
  if (why === 'asked') return askedFor(context, record.id);
  if (why === 'idle') return endedBy(record, `it was idle for ${record.idleTimeoutMs / 1000} seconds`);
  return {...failed(why.message), error: why};
};

const diedError = (id: string): AgentError =>
  new AgentError('GUEST_FAILED', `The guest of VM '${id}' has ended.`);

const failed = (message: string): End => ({status: 'failed', failure: message, ended: message});

const askedFor = (context: VmContext, id: string): Ending => {
  const error =
    lossOf(context, id) ?? new AgentError('VM_BUSY', `VM '${id}' was stopped: its monitor was asked to end.`);
  return {status: 'stopped', failure: null, ended: error.message, error};
};

const endedBy = ({id}: VmRecord, reason: string): Ending => ({
  status: 'stopped',
  failure: null,
  ended: reason,
  error: new AgentError('VM_BUSY', `VM '${id}' was stopped: ${reason}.`),
});

/** Who has taken the VM from us, if somebody has. */
const lossOf = (context: VmContext, id: string): AgentError | undefined => {
  const present = context.store().get(id);
  return present && owns(present, context.self) ? undefined : takenError(id, present);
};

const powerOff = async (
  context: VmContext,
  record: VmRecord,
  {guest, machine}: BootedMachine,
): Promise<void> => {
  const present = context.store().get(record.id);
  const isThrownAway = !present || present.status === 'cleaning';
  const graceMs = isThrownAway ? CLEAN_GRACE_MS : STOP_GRACE_MS;
  await guest.shutdown({graceMs, timeoutMs: SHUTDOWN_MS}).catch(() => {
    // A guest that does not answer is ended below; its file system has a journal.
  });
  await Promise.race([machine.exited, sleep(POWER_OFF_MS, undefined, {ref: false})]);
  guest.close();
  await machine.kill();
};

const finish = (context: VmContext, id: string, {status, failure, ended}: End): void => {
  context
    .store()
    .update(id, (present) =>
      owns(present, context.self)
        ? {...moveTo(present, {status, failure}), ended}
        : {...letGo(present, context.self), ended},
    );
};

const change = (context: VmContext, id: string, next: (own: VmRecord) => VmRecord): VmRecord | undefined =>
  context.store().update(id, (present) => changeOwn(present, context.self, next));
