/** Puts the payload into the guest before a command, and brings /out back after it. */
import type {Guest, TransferLimits} from '../guest/guest.js';
import {packFiles, packSources} from '../guest/tar-pack.js';
import {unpackTo} from '../guest/tar-unpack.js';
import {AgentError, toAgentError} from '../model/errors.js';
import type {OutCount} from '../model/run-report.js';
import {fileLimits, type MadeFile, type Payload} from './payload.js';

const outLimits: TransferLimits = {maxBytes: 1024 ** 3, maxEntries: 100_000};

interface StageOptions {
  readonly guest: Guest;
  readonly user: string;
}

/** Copies the user's files into /in, and what was made of them over them. */
export const stagePayload = async (options: StageOptions, {files, made}: Payload): Promise<void> => {
  const {guest, user} = options;
  if (files.length > 0) await guest.put('/in', packFiles(files, fileLimits), {...fileLimits, user});
  await stageMade(options, made);
};

export const stageMade = async ({guest, user}: StageOptions, made: readonly MadeFile[]): Promise<void> => {
  if (made.length > 0) await guest.put('/in', packSources(made), {...fileLimits, user});
};

/** Brings /out to `folder` on the host, whole or not at all. */
export const collectOut = async (guest: Guest, folder: string): Promise<OutCount> => {
  try {
    return await unpackTo(folder, guest.get('/out', outLimits), outLimits);
  } catch (error) {
    const cause = toAgentError(error);
    throw new AgentError('GUEST_FAILED', 'The files in /out could not be brought to the host.', {
      cause,
      details: [cause.message, ...cause.details],
      hints: ['the command itself has run; what it printed is complete'],
    });
  }
};
