/** What may go wrong, by stable code: scripts and the README's troubleshooting table rely on these. */
export type ErrorCode =
  | 'USAGE'
  | 'VM_NOT_FOUND'
  | 'VM_AMBIGUOUS'
  | 'VM_NAME_TAKEN'
  | 'VM_BUSY'
  | 'VM_FAILED'
  | 'STATE_UNUSABLE'
  | 'STATE_CORRUPT'
  | 'DISK_FULL'
  | 'IMAGE_NOT_FOUND'
  | 'IMAGE_UNUSABLE'
  | 'IMAGE_IN_USE'
  | 'REGISTRY_UNREACHABLE'
  | 'BUILD_FAILED'
  | 'LAUNCHER_UNAVAILABLE'
  | 'ISOLATION_UNAVAILABLE'
  | 'KERNEL_NOT_FOUND'
  | 'BOOT_FAILED'
  | 'GUEST_PROTOCOL'
  | 'GUEST_FAILED'
  | 'DEADLINE'
  | 'PROCESS_FAILED'
  | 'INTERRUPTED'
  | 'BROKEN_PIPE'
  | 'INTERNAL';

export interface AgentErrorOptions {
  /** What was seen, a line each: shown behind an arrow below the message. */
  readonly details?: readonly string[];
  /** What to do now, a line each, ideally a command to type. */
  readonly hints?: readonly string[];
  readonly cause?: unknown;
}

/** The base of every error that a user is meant to read. Services throw it; `render` and `server` show it. */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: ErrorCode;
  readonly details: readonly string[];
  readonly hints: readonly string[];

  constructor(code: ErrorCode, message: string, options: AgentErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : {cause: options.cause});
    this.code = code;
    this.details = options.details ?? [];
    this.hints = options.hints ?? [];
  }
}

/** Bad input: nothing was done. */
export const usageError = (message: string, ...hints: string[]): AgentError =>
  new AgentError('USAGE', message, {hints});

/** A wait that passed its deadline: names the phase and shows the last console lines. */
export const deadlineError = (
  phase: string,
  elapsedMs: number,
  lastLines: readonly string[] = [],
): AgentError =>
  new AgentError('DEADLINE', `${phase} took longer than ${formatSeconds(elapsedMs)}`, {
    details: lastLines.length > 0 ? ['last console lines:', ...lastLines] : [],
  });

const formatSeconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;

/** Anything thrown, as an AgentError: ours unchanged, a full disk and an abort named, the rest INTERNAL. */
export const toAgentError = (thrown: unknown): AgentError => {
  if (thrown instanceof AgentError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  if ('code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT'))
    return diskFull(error.message, error);
  if (error.name === 'AbortError') return new AgentError('INTERRUPTED', 'interrupted', {cause: error});
  return new AgentError('INTERNAL', error.message, {cause: error});
};

export const diskFull = (seen: string, cause: unknown): AgentError =>
  new AgentError('DISK_FULL', `The disk is full: ${seen}`, {
    cause,
    hints: [
      'free some space, for example with: agent image list, agent image remove REF, agent vm clean --all',
    ],
  });
