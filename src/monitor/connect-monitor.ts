/** A client's end of the monitor's socket. */
import {createConnection, type Socket} from 'node:net';
import {join} from 'node:path';
import {connectChannel, openCommand} from '../guest/connect.js';
import type {Session} from '../guest/guest.js';
import {AgentError, deadlineError} from '../model/errors.js';
import {readLastLines} from './last-lines.js';
import {MonitorGoneError} from './monitor-gone.js';
import type {MonitorPlace, MonitorStatus, RunningGuest} from './monitors.js';
import {decodeFailure, decodeStatus, MonitorFrame} from './protocol.js';

const HELLO_DEADLINE_MS = 10_000;

/** Throws MonitorGoneError where nobody listens, and what the monitor tells where the VM is just ending. */
export const connectMonitor = async (
  place: MonitorPlace,
  {signal, timeoutMs = HELLO_DEADLINE_MS}: {readonly signal: AbortSignal; readonly timeoutMs?: number},
): Promise<RunningGuest> => {
  const channel = await openSocket(place);
  const statuses = createStatuses();
  let failure: AgentError | undefined;
  const {guest, connection} = await connectChannel({
    channel,
    timeoutMs,
    signal,
    lastLines: () => readLastLines(join(place.folder, 'console.log')),
    explainEnd: (lines) => failure ?? goneError(place.id, lines),
    more: new Map([
      [MonitorFrame.STATUS, (payload) => statuses.receive(payload)],
      [
        MonitorFrame.FAILURE,
        (payload) => {
          failure = decodeFailure(payload); // the channel's end follows
        },
      ],
    ]),
  }).catch((error: unknown) => {
    // It took the connection, and ended before its first word.
    if (error instanceof AgentError && error.code === 'BOOT_FAILED')
      throw new MonitorGoneError(place.id, error);
    throw error;
  });
  void guest.closed.then(statuses.end);
  // The first comes without being asked for.
  const status = await statuses.next(place.id, timeoutMs).catch((error: unknown) => {
    guest.close();
    throw error;
  });
  return {
    guest,
    status,
    detach: async (session) => {
      connection.send({type: MonitorFrame.DETACH, session: session.id});
      connection.send({type: MonitorFrame.STATUS, session: 0});
      await statuses.next(place.id, timeoutMs); // it does one after the other
    },
    attach: (session, size): Session => {
      const payload = Buffer.alloc(4);
      payload.writeUInt32LE(session);
      const taken = openCommand(connection, {type: MonitorFrame.ATTACH, payload, inputCredit: 0});
      // A terminal that keeps its size is not told to draw itself again.
      taken.resize({...size, rows: Math.max(1, size.rows - 1)});
      taken.resize(size);
      return taken;
    },
    close: guest.close,
  };
};

const openSocket = ({id, socket}: MonitorPlace): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const connecting = createConnection(socket);
    const refuse = (error: Error): void => reject(new MonitorGoneError(id, error));
    connecting.once('error', refuse);
    connecting.once('connect', () => {
      connecting.off('error', refuse);
      resolve(connecting);
    });
  });

const goneError = (id: string, lines: readonly string[]): AgentError =>
  new AgentError('GUEST_FAILED', `The monitor of VM '${id}' has ended unexpectedly, and the VM with it.`, {
    details: lines.length > 0 ? ['last console lines:', ...lines] : [],
    hints: ['the next command boots the VM again'],
  });

interface Statuses {
  readonly receive: (payload: Buffer) => void;
  readonly next: (id: string, timeoutMs: number) => Promise<MonitorStatus>;
  readonly end: (error: Error | undefined) => void;
}

/** Those that came, in order, for those who wait for them. */
const createStatuses = (): Statuses => {
  const came: Buffer[] = [];
  let ended: {readonly error: Error | undefined} | undefined;
  let wake = (): void => {};
  return {
    receive: (payload) => {
      came.push(Buffer.from(payload));
      wake();
    },
    end: (error) => {
      ended = {error};
      wake();
    },
    next: async (id, timeoutMs) => {
      const startedAt = performance.now();
      const late = AbortSignal.timeout(timeoutMs);
      late.addEventListener('abort', () => wake());
      for (;;) {
        const payload = came.shift();
        if (payload) return decodeStatus(payload, id);
        if (ended) throw ended.error ?? new MonitorGoneError(id, undefined);
        if (late.aborted) throw deadlineError('asking the monitor', performance.now() - startedAt);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
};
