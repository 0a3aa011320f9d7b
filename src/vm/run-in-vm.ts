import {performance} from 'node:perf_hooks';
import type {Readable} from 'node:stream';
import type {RunReport} from '../model/run-report.js';
import {createBudget, type Sink} from '../model/sink.js';
import {type UpVm, withBootedVm} from './boot-vm.js';
import {execute} from './execute.js';
import type {CommandIo} from './guest-command.js';
import {openRunFiles, type RunFiles, type RunPaths} from './run-files.js';
import type {RunRequest} from './run-request.js';
import {withRunningVm} from './running-vm.js';
import type {Target} from './target.js';
import type {VmContext} from './vm-context.js';

/** Where a command's streams go besides the run's own files. */
export interface RunIo {
  readonly stdin: Readable | null;
  readonly stdout: readonly Sink[];
  readonly stderr: readonly Sink[];
  /** Told where the run's own files are; it has none where its VM did not boot, or is temporary. */
  readonly onFiles?: (files: RunPaths) => void;
}

export const runInVm = async (
  context: VmContext,
  target: Target,
  request: RunRequest,
  io: RunIo,
): Promise<RunReport> => {
  const {record, image, spec} = target;
  const runId = context.randomId();
  let up = {accelerator: '', readyMs: 0, readyAt: 0};
  let files: RunFiles | undefined;
  const use = async (vm: UpVm, signal: AbortSignal): ReturnType<typeof execute> => {
    up = {...vm, readyAt: performance.now()};
    const {self, now, isAlive} = context;
    const start = {record, runId, request, process: self, now, isAlive};
    if (!record.ephemeral) files = await openRunFiles(spec.folder, start);
    if (files) io.onFiles?.(files);
    try {
      return await execute(vm, {...target, ...request, io: commandIo(io, files, request), signal});
    } finally {
      await files?.close();
      if (!record.ephemeral) noteRun(context, record.id);
    }
  };
  const {endedAt, ...execution} = record.ephemeral
    ? await withBootedVm(context, target, (vm, held) => use(vm, held.signal))
    : await withRunningVm(context, record.id, (vm) => use(vm, context.signal));
  const report = {
    ...execution,
    record: context.store().get(record.id) ?? record,
    runId,
    stdoutPath: files?.stdoutPath ?? null,
    stderrPath: files?.stderrPath ?? null,
    accelerator: up.accelerator,
    imageDigest: image.digest,
    phases: {
      ...target.phases,
      boot: up.readyMs,
      exec: endedAt - up.readyAt,
      cleanup: performance.now() - endedAt,
    },
  };
  await files?.finish(report);
  return report;
};

export const noteRun = (context: VmContext, id: string): void => {
  context.store().update(id, (present) => ({...present, lastRunAt: context.now().toISOString()}));
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
