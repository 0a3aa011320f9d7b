import type {CreateOptions} from '../model/create-options.js';
import {type AgentError, toAgentError} from '../model/errors.js';
import type {RunReport} from '../model/run-report.js';
import type {VmRecord} from '../model/vm-record.js';
import {type CreatedVm, createVm} from './create-vm.js';
import {checkOutFolder} from './out-folder.js';
import {type PayloadRequest, preparePayload} from './payload.js';
import {removeVm} from './reap.js';
import {type RunIo, runInVm} from './run-in-vm.js';
import type {RunRequest} from './run-request.js';
import type {VmContext} from './vm-context.js';
import {hasNamedVolume} from './volumes.js';

export interface TempEvents {
  readonly created: (record: VmRecord) => void;
  readonly completed: (record: VmRecord, report: RunReport) => void | Promise<void>;
  readonly failed: (record: VmRecord, error: AgentError) => void | Promise<void>;
  readonly cleaned: (record: VmRecord) => void;
}

export interface TempRequest {
  readonly create: CreateOptions;
  readonly run: Omit<RunRequest, 'payload'> & Pick<PayloadRequest, 'program' | 'files'>;
  /** Folder of the host for /out, or null to drop it. */
  readonly outFolder: string | null;
}

/** Create, run, clean. Returns the exit code's report; throws what kept the VM from being made or cleaned. */
export const tempVm = async (
  context: VmContext,
  {create, run, outFolder}: TempRequest,
  {io, events}: {readonly io: RunIo; readonly events: TempEvents},
): Promise<RunReport | AgentError> => {
  if (outFolder !== null) await checkOutFolder(outFolder);
  const payload = await preparePayload({...run, language: create.language});
  const vm = await createVm(context, create, {ephemeral: true});
  try {
    events.created(vm.record);
    return await runAndTell(context, vm, {run: {...run, payload}, outFolder, io, events});
  } finally {
    await removeVm(context, vm.record.id, {keepPersist: hasNamedVolume(vm.record)});
    events.cleaned(vm.record);
  }
};

interface RunOptions {
  readonly run: RunRequest;
  readonly outFolder: string | null;
  readonly io: RunIo;
  readonly events: TempEvents;
}

const runAndTell = async (
  context: VmContext,
  vm: CreatedVm,
  {run, outFolder, io, events}: RunOptions,
): Promise<RunReport | AgentError> => {
  try {
    const report = await runInVm(context, {...vm, outFolder}, run, io);
    await events.completed(vm.record, report);
    return report;
  } catch (thrown) {
    const error = toAgentError(thrown);
    await events.failed(vm.record, error);
    return error;
  }
};
