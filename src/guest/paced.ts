import {pipeline, type Readable, Transform} from 'node:stream';
import {AgentError, deadlineError} from '../model/errors.js';

export interface Pace {
  /** Names the wait in the error. */
  readonly phase: string;
  readonly signal: AbortSignal;
  /** What any transfer may take, however little it carries. */
  readonly baseMs?: number;
  readonly bytesPerSecond?: number;
  /** Told what has passed so far. */
  readonly onBytes?: (bytes: number) => void;
}

const LOOK_MS = 250;

/**
 * The same stream, ended with an error once it is too slow on the whole, or interrupted: a guest that sends a byte now
 * and then is never silent, and would never be done.
 */
export const paced = (
  source: Readable,
  {phase, signal, baseMs = 120_000, bytesPerSecond = 1024 ** 2, onBytes}: Pace,
): Readable => {
  const startedAt = Date.now();
  let bytes = 0;
  const through = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      onBytes?.(bytes);
      done(null, chunk);
    },
  });
  const look = (): void => {
    const elapsedMs = Date.now() - startedAt;
    if (signal.aborted) through.destroy(new AgentError('INTERRUPTED', `${phase} was interrupted`));
    else if (elapsedMs > baseMs + (bytes / bytesPerSecond) * 1000)
      through.destroy(deadlineError(phase, elapsedMs));
  };
  const timer = setInterval(look, LOOK_MS);
  pipeline(source, through, () => clearInterval(timer));
  return through;
};
