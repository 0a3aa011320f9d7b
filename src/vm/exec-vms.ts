import {AgentError, toAgentError} from '../model/errors.js';
import {ExitCode, exitCodeOf} from '../model/exit-code.js';
import type {LanguageName} from '../model/language.js';
import type {RunReport} from '../model/run-report.js';
import type {VmRecord} from '../model/vm-record.js';
import {type Payload, preparePayload} from './payload.js';
import type {Program} from './program.js';
import {reap} from './reap.js';
import type {RunPaths} from './run-files.js';
import {type RunIo, runInVm} from './run-in-vm.js';
import type {RunRequest} from './run-request.js';
import {type Selection, selectVms} from './select-vms.js';
import {bootsAtOnce, createGate, type Gate, questionsAtOnce, several} from './several.js';
import {targetOf} from './target.js';
import type {VmContext} from './vm-context.js';

export interface ExecRequest extends Omit<RunRequest, 'payload'> {
  /** May refuse a VM's language. */
  readonly program: (language: LanguageName | null) => Program;
  /** Files and folders of the host, for /in. */
  readonly files: readonly string[];
  /** VMs at work at the same time. */
  readonly parallel: number;
}

/** What became of one VM: a verdict, or why there is none. */
export type RunResult =
  | {readonly record: VmRecord; readonly report: RunReport; readonly error: null; readonly exitCode: number}
  | FailedRun;

interface FailedRun {
  readonly record: VmRecord;
  readonly report: null;
  readonly error: AgentError;
  readonly exitCode: number;
  /** What the command said before, if it was started. */
  readonly files: RunPaths | null;
}

/** The VMs a command will run on. `--all` means those that are up or ready, not the stopped ones. */
export const selectForExec = (context: VmContext, selection: Selection): VmRecord[] => {
  const records = context.storeIfAny()?.list().records ?? [];
  const usable = records.filter((record) => record.status === 'ready' || record.status === 'running');
  const selected = selectVms(selection.vms.length > 0 ? records : usable, selection);
  if (selected.length === 0) {
    const isEmpty = records.length === 0;
    throw new AgentError(
      'VM_NOT_FOUND',
      isEmpty ? 'There is no VM to run on.' : 'No VM is what was asked for.',
      {
        hints: [
          isEmpty ? 'make one: agent vm create --language python' : 'see what there is: agent vm list --all',
        ],
      },
    );
  }
  return selected;
};

/** Runs on every VM, several at a time, each to its own verdict: one that fails stops no other. Results in order. */
export const execVms = async (
  context: VmContext,
  {
    records,
    request,
    openIo,
    onResult,
  }: {
    readonly records: readonly VmRecord[];
    readonly request: ExecRequest;
    readonly openIo: (record: VmRecord) => RunIo;
    /** Called as each VM is done. */
    readonly onResult: (result: RunResult) => void | Promise<void>;
  },
): Promise<RunResult[]> => {
  const payloads = await preparePayloads(records, request);
  await reap(context);
  const gates = {boots: createGate(bootsAtOnce()), connections: createGate(questionsAtOnce)};
  return await several(records, request.parallel, async (record) => {
    const payload = payloads.get(record.language);
    if (!payload) throw new AgentError('INTERNAL', 'a VM without a payload');
    const result = await runOne(context, record, {...request, payload}, {io: openIo(record), gates});
    await onResult(result);
    return result;
  });
};

/** One for each language, before anything is done to a VM. */
const preparePayloads = async (
  records: readonly VmRecord[],
  {program, files}: ExecRequest,
): Promise<Map<LanguageName | null, Payload>> => {
  const payloads = new Map<LanguageName | null, Payload>();
  for (const language of new Set(records.map((record) => record.language))) {
    payloads.set(language, await preparePayload({program: program(language), language, files}));
  }
  return payloads;
};

/** What a VM passes until its guest can be used. */
interface Gates {
  readonly boots: Gate;
  readonly connections: Gate;
}

const runOne = async (
  context: VmContext,
  record: VmRecord,
  request: RunRequest,
  {io, gates}: {readonly io: RunIo; readonly gates: Gates},
): Promise<RunResult> => {
  const kept: {files: RunPaths | null} = {files: null};
  let isUp = (): void => {};
  const onFiles = (files: RunPaths): void => {
    isUp();
    kept.files = files;
  };
  try {
    const isRunning = context.store().get(record.id)?.status === 'running';
    isUp = await (isRunning ? gates.connections : gates.boots).enter();
    context.signal.throwIfAborted();
    const report = await runInVm(context, targetOf(context, record), request, {...io, onFiles});
    return {record: report.record, report, error: null, exitCode: report.exitCode};
  } catch (thrown) {
    const error = toAgentError(thrown);
    return {record, report: null, error, exitCode: exitCodeOf(error.code, ExitCode.agentFailed), ...kept};
  } finally {
    isUp();
  }
};
