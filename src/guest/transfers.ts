import type {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {deadlineError} from '../model/errors.js';
import type {Connection} from './connection.js';
import {Errno} from './errno.js';
import type {TransferLimits} from './guest.js';
import type {OpenSession} from './open-session.js';
import {printable} from './printable.js';
import {FrameType} from './protocol.js';
import type {ExitReport} from './reports.js';
import {encodeGet, encodePut} from './requests.js';
import {createStallWatch} from './stall-watch.js';
import {TransferError} from './transfer-error.js';

export interface TransferContext {
  readonly connection: Connection;
  readonly lastLines: () => readonly string[];
  /** The longest that the guest may keep a transfer waiting. */
  readonly stallMs: number;
}

export interface PutRequest {
  readonly path: string;
  readonly tar: Readable;
  readonly options: TransferLimits & {readonly user: string};
}

export const put = async (context: TransferContext, {path, tar, options}: PutRequest): Promise<void> => {
  const {connection, lastLines, stallMs} = context;
  const what = `copying files to '${printable(path, 200)}' in the guest`;
  let session: OpenSession | undefined;
  const giveUp = (): void => session?.fail(deadlineError(what, stallMs, lastLines()));
  try {
    session = connection.open({
      type: FrameType.PUT,
      payload: encodePut(path, options),
      judge: (report) => failureOf(what, report),
      watch: createStallWatch(stallMs, giveUp),
    });
    await Promise.race([session.exit, rejectionOf(pipeline(tar, session.stdin))]);
  } finally {
    // Whoever failed: the source is read no further, and the guest does not wait for the rest of it.
    tar.destroy();
    session?.kill(SIGKILL, 'everything');
  }
};

export const get = (
  context: TransferContext,
  path: string,
  options: TransferLimits & {readonly isFile?: boolean},
): Readable => {
  const {connection, lastLines, stallMs} = context;
  const what = `copying files from '${printable(path, 200)}' in the guest`;
  const session: OpenSession = connection.open({
    type: FrameType.GET,
    payload: encodeGet(path, options),
    judge: (report) => failureOf(what, report),
    watch: createStallWatch(stallMs, () => session.stdout.destroy(deadlineError(what, stallMs, lastLines()))),
  });
  // A reader that has seen enough need not let the guest send all of it.
  session.stdout.on('close', () => session.kill(SIGKILL, 'everything'));
  return session.stdout;
};

const SIGKILL = 9;
const FEWER = 'copy fewer or smaller files, or more of them with: agent vm cp --max-size 8G';

/** Settles only if the promise rejects. */
const rejectionOf = (promise: Promise<void>): Promise<never> =>
  promise.then(() => new Promise<never>(() => {}));

const failureOf = (what: string, {status, errno}: ExitReport): TransferError | undefined => {
  if (status.code === 0) return undefined;
  const reason = status.reason ?? (status.signal === null ? 'no reason given' : `signal ${status.signal}`);
  return new TransferError(`${capitalized(what)} failed: ${reason}.`, errno, hintsFor(errno));
};

const capitalized = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

const hintsFor = (errno: number | null): string[] => {
  if (errno === Errno.ENOSPC || errno === Errno.EDQUOT) {
    return ['free space in the guest, or create the VM with more of it: --disk SIZE, --mem SIZE'];
  }
  return errno === Errno.EFBIG || errno === Errno.E2BIG ? [FEWER] : [];
};
