/** Puts the payload into the guest before a command, and brings /out back after it. */
import {readdir} from 'node:fs/promises';
import type {Readable} from 'node:stream';
import type {ExitStatus, Guest, TransferLimits} from '../guest/guest.js';
import {paced} from '../guest/paced.js';
import {packFiles, packSources} from '../guest/tar-pack.js';
import {type Target, unpackTo} from '../guest/tar-unpack.js';
import {AgentError, toAgentError} from '../model/errors.js';
import type {OutCount} from '../model/run-report.js';
import {fileLimits, type MadeFile, type Payload} from './payload.js';

const outLimits: TransferLimits = {maxBytes: 1024 ** 3, maxEntries: 100_000};

interface StageOptions {
  readonly guest: Guest;
  readonly signal: AbortSignal;
  readonly user: string;
}

/** Copies the user's files into /in, and what was made of them over them. */
export const stagePayload = async (options: StageOptions, {files, made}: Payload): Promise<void> => {
  if (files.length > 0) await putIn(options, packFiles(files, fileLimits));
  await stageMade(options, made);
};

export const stageMade = async (options: StageOptions, made: readonly MadeFile[]): Promise<void> => {
  if (made.length > 0) await putIn(options, packSources(made));
};

const putIn = ({guest, user, signal}: StageOptions, tar: Readable): Promise<void> =>
  guest.put('/in', paced(tar, {phase: 'putting files into the guest', signal}), {...fileLimits, user});

interface CollectOptions {
  readonly guest: Guest;
  readonly signal: AbortSignal;
  /** On the host. */
  readonly folder: string;
  readonly target: Target;
  /** Of the command, for the error: it is known whatever becomes of its files. */
  readonly exitCode: number;
}

const NOTHING: OutCount = {files: 0, directories: 0, bytes: 0, skipped: 0};

/** The same, without asking the guest where its word is that there is nothing, and there was nothing before. */
export const bringOut = async (
  {hasOut}: Pick<ExitStatus, 'hasOut'>,
  options: CollectOptions,
): Promise<OutCount> => {
  const isNeedless = hasOut === false && options.target === 'replaced' && (await isEmpty(options.folder));
  return isNeedless ? NOTHING : await collectOut(options);
};

const isEmpty = async (folder: string): Promise<boolean> =>
  await readdir(folder).then(
    (names) => names.length === 0,
    () => false, // it is made below, or tells why not
  );

/** Brings /out to `folder` on the host, whole or not at all. */
const collectOut = async (options: CollectOptions): Promise<OutCount> => {
  const {guest, signal, folder, target, exitCode} = options;
  try {
    const tar = paced(guest.get('/out', outLimits), {
      phase: 'bringing the files in /out to the host',
      signal,
    });
    return await unpackTo(folder, tar, outLimits, target);
  } catch (error) {
    const cause = toAgentError(error);
    if (cause.code === 'INTERRUPTED') throw cause;
    throw new AgentError('GUEST_FAILED', 'The files in /out could not be brought to the host.', {
      cause,
      details: [cause.message, ...cause.details],
      hints: [
        ...cause.hints,
        `the command itself has run, with exit code ${exitCode}; what it printed is complete`,
      ],
    });
  }
};
