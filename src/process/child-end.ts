import type {ChildProcess} from 'node:child_process';

export interface ChildEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Resolves when it has been reaped; never rejects. Errors of signals that come too late are nobody's concern. */
export const untilEnd = (child: ChildProcess): Promise<ChildEnd> =>
  new Promise((resolve) => {
    child.on('error', () => {});
    child.once('exit', (code, signal) => resolve({code, signal}));
  });

/** Why it could not be started. */
export const startError = (child: ChildProcess): Promise<Error> =>
  new Promise((resolve) => child.once('error', resolve));
