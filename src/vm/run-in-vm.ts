/** Boots a VM for one command, keeps what the command said, and writes the run's receipt. */
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
import type {CommandIo} from './guest-command.js';
import {openRunFiles, type RunFiles, type RunPaths, writeReceipt} from './run-files.js';
import type {RunRequest} from './run-request.js';
import type {VmContext} from './vm-context.js';

/** Where a command's streams go besides the run's own files. */
export interface RunIo {
  readonly stdin: Readable | null;
  readonly stdout: readonly Sink[];
  readonly stderr: readonly Sink[];
  /** Told where the run's own files are; it has none where its VM did not boot, or is temporary. */
  readonly onFiles?: (files: RunPaths) => void;
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
  const {record, image, spec} = target;
  const runId = context.randomId();
  let boot = {bootMs: 0, bootedAt: 0, accelerator: ''};
  let files: RunFiles | undefined;
  const {endedAt, ...execution} = await withBootedVm(context, target, async (vm, {signal}) => {
    boot = {bootMs: vm.bootMs, bootedAt: performance.now(), accelerator: vm.machine.accelerator};
    if (!record.ephemeral) files = await openRunFiles(spec.folder, runId);
    if (files) io.onFiles?.(files);
    try {
      return await execute(vm, {...target, ...request, io: commandIo(io, files, request), signal});
    } finally {
      await files?.close();
    }
  });
  const report = {
    ...execution,
    record: context.store().get(record.id) ?? record,
    runId,
    stdoutPath: files?.stdoutPath ?? null,
    stderrPath: files?.stderrPath ?? null,
    accelerator: boot.accelerator,
    imageDigest: image.digest,
    phases: {
      ...target.phases,
      boot: boot.bootMs,
      exec: endedAt - boot.bootedAt,
      cleanup: performance.now() - endedAt,
    },
  };
  if (files) await writeReceipt(spec.folder, request, report);
  return report;
};

const commandIo = (
  {stdin, stdout, stderr}: RunIo,
  files: RunFiles | undefined,
  {maxOutputBytes}: RunRequest,
): CommandIo => ({
  stdin,
  stdout: files ? [...stdout, files.stdout] : stdout,
  stderr: files ? [...stderr, files.stderr] : stderr,
  budget: createBudget(maxOutputBytes),
});

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
