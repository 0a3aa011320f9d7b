/** Boots a VM for one command, keeps what the command said, and writes the run's receipt. */
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {performance} from 'node:perf_hooks';
import type {Readable} from 'node:stream';
import type {MachineSpec} from '../launcher/launcher.js';
import {AgentError} from '../model/errors.js';
import type {GuestImage} from '../model/guest-image.js';
import type {Phases, RunReport} from '../model/run-report.js';
import {createBudget, type Sink} from '../model/sink.js';
import type {VmRecord} from '../model/vm-record.js';
import {withBootedVm} from './boot-vm.js';
import {machineSpec} from './create-vm.js';
import {execute} from './execute.js';
import {fileSink} from './file-sink.js';
import type {Payload} from './payload.js';
import type {VmContext} from './vm-context.js';

export interface RunRequest {
  readonly payload: Payload;
  readonly env: readonly string[];
  readonly timeoutMs: number;
  /** Of both streams together. */
  readonly maxOutputBytes: number;
}

/** Where a command's streams go besides the run's own files. */
export interface RunIo {
  readonly stdin: Readable | null;
  readonly stdout: readonly Sink[];
  readonly stderr: readonly Sink[];
}

interface Target {
  readonly record: VmRecord;
  readonly spec: MachineSpec;
  readonly image: GuestImage;
  /** Phases that came before. */
  readonly phases?: Phases;
  /** Folder of the host for /out. */
  readonly outFolder: string | null;
}

export const runInVm = async (
  context: VmContext,
  target: Target,
  request: RunRequest,
  io: RunIo,
): Promise<RunReport> => {
  const runId = context.randomId();
  const files = target.record.ephemeral ? null : await openRunFiles(target.spec.folder, runId);
  const sinks = {
    stdout: [...io.stdout, ...(files?.stdout ?? [])],
    stderr: [...io.stderr, ...(files?.stderr ?? [])],
  };
  try {
    const report = await boot(context, {target, request, runId, io: {...sinks, stdin: io.stdin}});
    const full = {...report, stdoutPath: files?.stdoutPath ?? null, stderrPath: files?.stderrPath ?? null};
    if (files) await writeReceipt(files.folder, request, full);
    return full;
  } finally {
    await Promise.all([...(files?.stdout ?? []), ...(files?.stderr ?? [])].map((sink) => sink.close()));
  }
};

interface BootOptions {
  readonly target: Target;
  readonly request: RunRequest;
  readonly runId: string;
  readonly io: RunIo;
}

const boot = async (
  context: VmContext,
  {target, request, runId, io}: BootOptions,
): Promise<Omit<RunReport, 'stdoutPath' | 'stderrPath'>> => {
  const {record, image} = target;
  let used = {bootMs: 0, endedAt: 0, accelerator: ''};
  const budget = createBudget(request.maxOutputBytes);
  const execution = await withBootedVm(context, target, async (vm, {signal}) => {
    const result = await execute(vm, {...target, ...request, io: {...io, budget}, signal});
    used = {bootMs: vm.bootMs, endedAt: performance.now(), accelerator: vm.machine.accelerator};
    return result;
  });
  return {
    ...execution,
    record: context.store().get(record.id) ?? record,
    runId,
    accelerator: used.accelerator,
    imageDigest: image.digest,
    phases: {
      ...target.phases,
      boot: used.bootMs,
      exec: execution.durationMs,
      cleanup: performance.now() - used.endedAt,
    },
  };
};

interface RunFiles {
  readonly folder: string;
  readonly stdoutPath: string;
  readonly stderrPath: string;
  readonly stdout: readonly Sink[];
  readonly stderr: readonly Sink[];
}

const openRunFiles = async (vmFolder: string, runId: string): Promise<RunFiles> => {
  const folder = join(vmFolder, 'runs', runId);
  await mkdir(folder, {recursive: true, mode: 0o700});
  const [stdoutPath, stderrPath] = [join(folder, 'stdout.log'), join(folder, 'stderr.log')];
  return {
    folder,
    stdoutPath,
    stderrPath,
    stdout: [await fileSink(stdoutPath)],
    stderr: [await fileSink(stderrPath)],
  };
};

const MAX_RECEIPT_TEXT = 4_096;

const writeReceipt = async (folder: string, request: RunRequest, report: RunReport): Promise<void> => {
  const {record, out, ...rest} = report;
  const {program} = request.payload;
  const receipt = {
    vm: record.id,
    image: record.image,
    program:
      program.kind === 'command'
        ? {kind: 'command', text: program.text.slice(0, MAX_RECEIPT_TEXT)}
        : {kind: program.kind},
    env: request.env.map((entry) => entry.slice(0, entry.indexOf('='))),
    limits: {
      timeoutMs: request.timeoutMs,
      maxOutputBytes: request.maxOutputBytes,
      memoryMib: record.memoryMib,
    },
    out,
    ...rest,
  };
  await writeFile(join(folder, 'run.json'), `${JSON.stringify(receipt, null, 2)}\n`, {mode: 0o600});
};

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
