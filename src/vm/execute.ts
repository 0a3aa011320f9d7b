/** One command in one VM, from the booted guest to the verdict. */
import {performance} from 'node:perf_hooks';
import type {ExecRequest, ExitStatus, Guest} from '../guest/guest.js';
import {AgentError} from '../model/errors.js';
import {ExitCode} from '../model/exit-code.js';
import type {GuestImage} from '../model/guest-image.js';
import type {LanguageName} from '../model/language.js';
import type {Execution} from '../model/run-report.js';
import {createBudget, memorySink} from '../model/sink.js';
import type {VmRecord} from '../model/vm-record.js';
import type {UpVm} from './boot-vm.js';
import {type CommandIo, runCommand} from './guest-command.js';
import {type Payload, preparePayload} from './payload.js';
import {bringOut, stageMade, stagePayload} from './stage.js';

export interface ExecuteOptions {
  readonly record: VmRecord;
  readonly image: GuestImage;
  readonly payload: Payload;
  /** `NAME=value`, for this command only. */
  readonly env: readonly string[];
  readonly timeoutMs: number;
  readonly io: CommandIo;
  /** Folder of the host that receives /out. */
  readonly outFolder: string | null;
  readonly signal: AbortSignal;
}

/** `endedAt` is when the command had ended: what follows is bringing its files. */
export const execute = async (
  vm: Pick<UpVm, 'guest'>,
  options: ExecuteOptions,
): Promise<Execution & {readonly endedAt: number}> => {
  const staging = {guest: vm.guest, user: options.image.config.user, signal: options.signal};
  await stagePayload(staging, options.payload);
  const {payload, interpretedAs} = await interpret(vm.guest, options);
  if (payload !== options.payload) await stageMade(staging, payload.made);
  const argv = payload.argv ?? ['/bin/sh', '-c', shellText(payload)];
  const startedAt = performance.now();
  const result = await runCommand({
    guest: vm.guest,
    request: request(options, argv),
    io: options.io,
    timeoutMs: options.timeoutMs,
    signal: options.signal,
  });
  const endedAt = performance.now();
  const truncated = options.io.budget.isExceeded();
  const {ephemeral} = options.record;
  const ended = verdict(result.status, {timedOut: result.timedOut, truncated, ephemeral});
  const {outFolder: folder, signal} = options;
  const target = options.record.ephemeral ? 'new or empty' : 'replaced';
  const collected = {guest: vm.guest, signal, target, exitCode: ended.exitCode} as const;
  // A guest that outlived SIGKILL gives nothing back that could be trusted.
  const out = folder !== null && result.status ? await bringOut(result.status, {...collected, folder}) : null;
  return {
    ...ended,
    truncated,
    interpretedAs,
    durationMs: endedAt - startedAt,
    out,
    endedAt,
  };
};

const request = ({record, image, env}: ExecuteOptions, argv: readonly string[]): ExecRequest => ({
  argv,
  env: mergeEnv(image.config.env, record.env, env),
  cwd: image.config.workdir,
  user: image.config.user,
});

/** The last value of a name wins. */
export const mergeEnv = (...layers: readonly (readonly string[])[]): string[] => {
  const merged = new Map(layers.flat().map((entry) => [entry.slice(0, entry.indexOf('=')), entry]));
  return [...merged.values()];
};

const shellText = ({program}: Payload): string => (program.kind === 'command' ? program.text : '');

/** A command that the guest's shell cannot parse at all is source code, where the VM has a language. */
const interpret = async (
  guest: Guest,
  options: ExecuteOptions,
): Promise<{payload: Payload; interpretedAs: LanguageName | null}> => {
  const {payload} = options;
  const {program, language} = payload;
  if (program.kind !== 'command' || !language || !mayBeSource(program.text)) {
    return {payload, interpretedAs: null};
  }
  const parsed = await isShell(guest, options, program.text);
  if (parsed) return {payload, interpretedAs: null};
  const asSource = {kind: 'source', source: Buffer.from(program.text)} as const;
  return {payload: await preparePayload({...payload, program: asSource}), interpretedAs: language};
};

const ALWAYS_PARSES =
  /^(?! *(?:if|then|else|elif|fi|do|done|case|esac|while|until|for|function|select|time|coproc|in)\b)(?:[\w ./:=@%+,-]|'[^']*'|"[^"$`\\]*")*$/;

/** A command's words, and strings in which the shell replaces nothing, always parse: no need to ask the guest. */
export const mayBeSource = (text: string): boolean => !ALWAYS_PARSES.test(text);

const PARSE_DEADLINE_MS = 20_000;

const isShell = async (guest: Guest, options: ExecuteOptions, text: string): Promise<boolean> => {
  const said = memorySink(4_096);
  const {status} = await runCommand({
    guest,
    request: request(options, ['/bin/sh', '-n', '-c', text]),
    io: {stdin: null, stdout: [said], stderr: [said], budget: createBudget(4_096)},
    timeoutMs: PARSE_DEADLINE_MS,
    signal: options.signal,
  });
  if (status?.reason) throw noShell(status, options);
  return status?.code === 0;
};

const noShell = (status: ExitStatus, {image}: ExecuteOptions): AgentError =>
  new AgentError(
    'IMAGE_UNUSABLE',
    `The image '${image.references[0] ?? image.digest}' has no shell to run --cmd with.`,
    {
      details: [status.reason ?? ''],
      hints: ['use an image with /bin/sh, or --code with one of the languages'],
    },
  );

type Verdict = Omit<Execution, 'truncated' | 'interpretedAs' | 'durationMs' | 'out'>;

interface Circumstances {
  readonly timedOut: boolean;
  readonly truncated: boolean;
  /** The VM ends with the command: nothing of that can be left. */
  readonly ephemeral: boolean;
}

const verdict = (status: ExitStatus | null, {timedOut, truncated, ephemeral}: Circumstances): Verdict => {
  const used = {cpuMs: status?.cpuMs ?? null, maxRssKib: status?.maxRssKib ?? null, timedOut};
  const signal = status?.signal ?? null;
  if (timedOut && (status || ephemeral))
    return {...used, exitCode: ExitCode.timeout, origin: 'agent', signal, limit: 'time', reason: null};
  const reason = timedOut ? 'the guest does not say that the command has ended' : (status?.reason ?? null);
  const limit = limitOf(status, truncated);
  return {...used, exitCode: codeOf(status), origin: reason ? 'agent' : 'guest', signal, limit, reason};
};

/** What ended it comes before what only cut it short. */
const limitOf = (status: ExitStatus | null, truncated: boolean): Execution['limit'] => {
  if (status?.oom) return 'memory';
  if (status?.limits.processes) return 'processes';
  // A disk may have been full before, and no harm to a command that writes nothing.
  if (status?.limits.disk && status.code !== 0) return 'disk';
  return truncated ? 'output' : null;
};

/** 128 + N for a signal. */
export const codeOf = (status: ExitStatus | null): number => {
  if (!status) return ExitCode.agentFailed;
  if (status.signal !== null) return ExitCode.signalBase + status.signal;
  // A command that never started has no success to tell of, whatever the guest says.
  const isClaim = status.code === 0 && status.reason !== null;
  return isClaim ? ExitCode.agentFailed : (status.code ?? ExitCode.agentFailed);
};
