/** A shell in a VM: on our terminal where there is one, else between our standard streams. */
import type {Readable} from 'node:stream';
import type {Session} from '../guest/guest.js';
import {AgentError, toAgentError} from '../model/errors.js';
import {ExitCode, exitCodeOf} from '../model/exit-code.js';
import type {GuestImage} from '../model/guest-image.js';
import type {Sink} from '../model/sink.js';
import type {Terminal} from '../model/terminal.js';
import type {VmRecord} from '../model/vm-record.js';
import {selectForExec} from './exec-vms.js';
import {codeOf} from './execute.js';
import {reap} from './reap.js';
import {noteRun} from './run-in-vm.js';
import {type RunningVm, withRunningVm} from './running-vm.js';
import {shellRequest} from './shell-request.js';
import {endShell, joinSession, type ShellEnd} from './shell-session.js';
import {targetOf} from './target.js';
import type {VmContext} from './vm-context.js';

export interface ShellOptions {
  readonly record: VmRecord;
  /** Null: bash, where the image has it, else sh. */
  readonly command: string | null;
  /** `NAME=value`, for this shell only. */
  readonly env: readonly string[];
  /** 0: none. */
  readonly timeoutMs: number;
  /** Another shell, even where one was left. */
  readonly isNew: boolean;
}

export interface ShellIo {
  readonly terminal: Terminal | null;
  /** Where there is no terminal. */
  readonly stdin: Readable | null;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Called before the shell gets the terminal; `left` is since when the one that is entered again was alone. */
  readonly onStart: (shell: {readonly left: Date | null}) => void;
}

export interface ShellResult {
  /** Null: it failed with `error`. */
  readonly end: ShellEnd['kind'] | null;
  readonly exitCode: number;
  /** Why the shell did not start, or null. */
  readonly reason: string | null;
  readonly error: AgentError | null;
}

/** Throws VM_NOT_FOUND and VM_AMBIGUOUS. */
export const selectForShell = (context: VmContext, vm: string): VmRecord => {
  const [record] = selectForExec(context, {vms: [vm], all: false, labels: {}});
  if (!record) throw new AgentError('VM_NOT_FOUND', `No VM '${vm}'.`);
  return record;
};

export const shellVm = async (
  context: VmContext,
  options: ShellOptions,
  io: ShellIo,
): Promise<ShellResult> => {
  try {
    await reap(context);
    const {image} = targetOf(context, options.record);
    const {env: hostEnv, signal} = context;
    const end = await withRunningVm(context, options.record.id, (vm) =>
      useShell({...options, image, vm, hostEnv, signal}, io),
    );
    noteRun(context, options.record.id);
    return toResult(end);
  } catch (thrown) {
    const error = toAgentError(thrown);
    return {end: null, exitCode: exitCodeOf(error.code, ExitCode.agentFailed), reason: null, error};
  }
};

interface ShellUse extends ShellOptions {
  readonly image: GuestImage;
  readonly vm: RunningVm;
  readonly hostEnv: VmContext['env'];
  readonly signal: AbortSignal;
}

const useShell = async (use: ShellUse, io: ShellIo): Promise<ShellEnd> => {
  const {vm, signal, timeoutMs} = use;
  const isFree = io.terminal !== null && !use.isNew && use.command === null;
  const left = isFree ? vm.status.detached.at(-1) : undefined;
  io.onStart({left: left ? new Date(left.since) : null});
  const held = io.terminal?.hold(io.stdout);
  let session: Session | undefined;
  try {
    session = open(use, left, io.terminal);
    held?.onResize((size) => session?.resize(size));
    const streams = held ? {stdin: held.typed, stdout: held.screen} : {stdin: io.stdin, stdout: io.stdout};
    const going = held?.left ?? new Promise<never>(() => {});
    const end = await joinSession({session, ...streams, stderr: io.stderr, going, timeoutMs, signal});
    held?.release(isTidy(end));
    await (end.kind === 'detached' ? vm.detach(session) : endShell(session));
    return end;
  } catch (error) {
    held?.release(false);
    if (session) await endShell(session);
    throw error;
  }
};

const open = (use: ShellUse, left: {session: number} | undefined, terminal: Terminal | null): Session => {
  if (!terminal) return use.vm.guest.exec(shellRequest({...use, size: null}));
  if (!left) return use.vm.guest.exec(shellRequest({...use, size: terminal.size()}));
  return reenter(use.vm, left.session, terminal);
};

const REDRAW_MS = 100;

/** What runs there draws itself anew when the size changes; so it does, for a moment. */
const reenter = (vm: RunningVm, number: number, terminal: Terminal): Session => {
  const {rows, columns} = terminal.size();
  const session = vm.attach(number, {rows: rows > 1 ? rows - 1 : 2, columns});
  setTimeout(() => session.resize(terminal.size()), REDRAW_MS).unref();
  return session;
};

/** A shell that ends by itself leaves the terminal as a person wants it. */
const isTidy = (end: ShellEnd): boolean => end.kind === 'exited' && end.status.code !== null;

const toResult = (end: ShellEnd): ShellResult => {
  const reason = end.kind === 'exited' ? end.status.reason : null;
  return {end: end.kind, exitCode: exitCodeFor(end), reason, error: null};
};

const exitCodeFor = (end: ShellEnd): number => {
  if (end.kind === 'exited') return codeOf(end.status);
  if (end.kind === 'timed out') return ExitCode.timeout;
  return end.kind === 'gone' ? ExitCode.signalBase + SIGHUP : ExitCode.ok;
};

const SIGHUP = 1;
