/** What a path in the guest is, found out with transfers alone: not every image has a shell that could tell. */
import {Errno} from '../guest/errno.js';
import type {Guest} from '../guest/guest.js';
import {paced} from '../guest/paced.js';
import {TransferError} from '../guest/transfer-error.js';
import {AgentError} from '../model/errors.js';

/** `file`: anything that is no folder, and also a path that leads through a file. */
export type GuestKind = 'folder' | 'file' | 'missing';

export interface CopyGuest {
  readonly guest: Guest;
  readonly signal: AbortSignal;
}

const MAX_ANSWER = 64 * 1024;
const DEADLINE_MS = 60_000;

/** Asks for the folder with a bound of no entries: an empty one fits, another is more than that. */
export const probe = async ({guest, signal}: CopyGuest, path: string): Promise<GuestKind> => {
  const phase = `looking at '${path}' in the guest`;
  const answer = paced(guest.get(path, {maxBytes: 0, maxEntries: 0}), {phase, signal, baseMs: DEADLINE_MS});
  try {
    let bytes = 0;
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER)
        throw new AgentError('GUEST_PROTOCOL', 'The guest sent files that it was not asked for.');
    }
    return 'folder';
  } catch (error) {
    const kind = error instanceof TransferError ? kinds.get(error.errno) : undefined;
    if (kind === undefined) throw error;
    return kind;
  } finally {
    answer.destroy();
  }
};

const kinds: ReadonlyMap<number | null, GuestKind> = new Map([
  [Errno.E2BIG, 'folder'],
  [Errno.ENOTDIR, 'file'],
  [Errno.ENOENT, 'missing'],
]);

export const missing = (path: string): AgentError =>
  new AgentError('GUEST_FAILED', `There is no '${path}' in the guest.`, {
    hints: ['check the path: links of the guest are followed in the guest'],
  });

export const refused = (message: string, ...hints: readonly string[]): AgentError =>
  new AgentError('GUEST_FAILED', message, {hints});

export const stopIfInterrupted = ({signal}: Pick<CopyGuest, 'signal'>): void => {
  if (signal.aborted) throw new AgentError('INTERRUPTED', 'copying was interrupted');
};
