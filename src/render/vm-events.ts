/** The log lines of the VM commands: their fields and the order of them are what scripts rely on. */
import type {AgentError} from '../model/errors.js';
import type {RunReport} from '../model/run-report.js';
import type {VmRecord} from '../model/vm-record.js';
import {errorFields} from './error.js';
import type {LogEvent} from './log-event.js';

export const createdEvent = (record: VmRecord): LogEvent => ({
  level: 'info',
  message: 'vm created',
  fields: {
    ...creation(record),
    created_at: record.createdAt,
    ...(record.name ? {name: record.name} : {}),
    ...made(record),
  },
});

export const tempCreatedEvent = (record: VmRecord): LogEvent => ({
  level: 'info',
  message: 'temporary vm created',
  fields: {...creation(record), ...made(record)},
});

const creation = (record: VmRecord): Record<string, unknown> => ({
  id: record.id,
  language: record.language,
  rootfs: record.image.reference,
  cpu_count: record.cpus,
  memoryMiB: record.memoryMib,
  network: record.network,
  persisted: record.persist,
});

const made = (record: VmRecord): Record<string, unknown> => ({
  launcher: record.launcher,
  image_digest: record.image.digest,
  ...(record.volume === null ? {} : {volume: record.volume}),
});

type RunVerb = 'vm run' | 'vm exec' | 'temporary vm execution';

/** `<verb>` or `<verb> failed` (`completed` for temporary VMs), by the exit code. */
export const runEvent = (verb: RunVerb, report: RunReport): LogEvent => {
  const failed = report.exitCode !== 0;
  return {
    level: failed ? 'error' : 'info',
    message: eventName(verb, failed),
    fields: {
      vm: report.record.id,
      ...(verb === 'vm run' ? {} : {language: report.record.language}),
      exit_code: report.exitCode,
      stdout: report.stdoutPath,
      stderr: report.stderrPath,
      duration: inSeconds(report.durationMs),
      ...(failed ? {error: failureText(report)} : {}),
      ...verdict(report),
    },
  };
};

interface FailedRun {
  readonly record: VmRecord;
  readonly error: AgentError;
  readonly exitCode: number;
  readonly files?: {readonly stdoutPath: string; readonly stderrPath: string} | null;
}

/** The same for a command that got no verdict: the failure is ours. */
export const runErrorEvent = (
  verb: RunVerb,
  {record, error, exitCode, files = null}: FailedRun,
): LogEvent => ({
  level: 'error',
  message: eventName(verb, true),
  fields: {
    vm: record.id,
    ...(verb === 'vm run' ? {} : {language: record.language}),
    exit_code: exitCode,
    stdout: files?.stdoutPath ?? null,
    stderr: files?.stderrPath ?? null,
    duration: null,
    error: error.message,
    origin: 'agent',
    ...errorFields(error),
  },
});

const eventName = (verb: RunVerb, failed: boolean): string => {
  if (failed) return `${verb} failed`;
  return verb === 'temporary vm execution' ? `${verb} completed` : verb;
};

const verdict = (report: RunReport): Record<string, unknown> => ({
  launcher: report.record.launcher,
  accelerator: report.accelerator,
  image_digest: report.imageDigest,
  run: report.runId,
  timed_out: report.timedOut,
  origin: report.origin,
  truncated: report.truncated,
  ...(report.limit ? {limit: report.limit} : {}),
  ...(report.interpretedAs ? {interpreted_as: report.interpretedAs} : {}),
  ...(report.out && report.out.files + report.out.skipped > 0 ? {out: report.out} : {}),
  phases: Object.fromEntries(Object.entries(report.phases).map(([name, ms]) => [name, Math.round(ms)])),
});

const failureText = (report: RunReport): string => {
  if (report.timedOut) return `timed out after ${inSeconds(report.durationMs)}`;
  if (report.reason) return report.reason;
  if (report.limit === 'memory') return 'the guest ran out of memory';
  if (report.limit === 'processes') return 'the guest ran out of processes';
  if (report.limit === 'disk') return 'the disk of the guest is full';
  return report.signal === null ? `exit status ${report.exitCode}` : `ended by signal ${report.signal}`;
};

export const inSeconds = (ms: number): string => `${(ms / 1000).toFixed(3)}s`;

export const tempCleanedEvent = (record: VmRecord): LogEvent => ({
  level: 'info',
  message: 'temporary vm cleaned up',
  fields: {vm: record.id},
});

type EndedVm = Pick<VmRecord, 'id' | 'language'> & {readonly isGone?: true};

export const stoppedEvent = (vm: EndedVm): LogEvent => ({
  level: 'info',
  message: 'vm stopped',
  fields: {vm: vm.id, language: vm.language},
});

export const cleanedEvent = (vm: EndedVm, keepPersist: boolean): LogEvent => ({
  level: 'info',
  message: 'vm cleaned',
  fields: {
    vm: vm.id,
    language: vm.language,
    keep_persist: keepPersist,
    ...(vm.isGone ? {already_gone: true} : {}),
  },
});

/** `vm stop failed`, `vm clean failed`. */
export const endErrorEvent = (verb: 'stop' | 'clean', vm: EndedVm, error: AgentError): LogEvent => ({
  level: 'error',
  message: `vm ${verb} failed`,
  fields: {vm: vm.id, language: vm.language, error: error.message, ...errorFields(error)},
});
