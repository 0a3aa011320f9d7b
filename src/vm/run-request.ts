import type {Payload} from './payload.js';

export interface RunRequest {
  readonly payload: Payload;
  /** `NAME=value`, for this command only. */
  readonly env: readonly string[];
  readonly timeoutMs: number;
  /** Of both streams together. */
  readonly maxOutputBytes: number;
}
