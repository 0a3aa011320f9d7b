import type {ErrorCode} from './errors.js';

/** The contract of the command line; codes 0 to 255 of the guest pass unchanged. */
export const ExitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  timeout: 124,
  /** `run`, `exec`, `temp`, `shell`: the command did not run, or its result is unknown. */
  agentFailed: 125,
  notExecutable: 126,
  notFound: 127,
  signalBase: 128,
  /** 128 + SIGPIPE, as a program that the shell's `| head` ended. */
  brokenPipe: 141,
} as const;

/** Whose exit code it is: the guest's command, or ours. */
export type Origin = 'guest' | 'agent';

/** The exit code for an error: usage is 2 everywhere, `otherwise` is the command's own failure code. */
export const exitCodeOf = (code: ErrorCode, otherwise: number): number =>
  code === 'USAGE' || code === 'VM_NOT_FOUND' || code === 'VM_AMBIGUOUS' || code === 'VM_NAME_TAKEN'
    ? ExitCode.usage
    : code === 'BROKEN_PIPE'
      ? ExitCode.brokenPipe
      : otherwise;

/** Over several targets: 0 if all are 0, else the first that is not. */
export const firstFailure = (codes: readonly number[]): number =>
  codes.find((code) => code !== 0) ?? ExitCode.ok;
