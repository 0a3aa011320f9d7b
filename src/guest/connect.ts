import {randomBytes} from 'node:crypto';
import type {Duplex} from 'node:stream';
import {AgentError, deadlineError} from '../model/errors.js';
import {Connection, type ConnectionOptions} from './connection.js';
import type {ExecRequest, Guest, Hello, Session} from './guest.js';
import type {SessionKind} from './open-session.js';
import {FrameType, PING_BYTES} from './protocol.js';
import {encodeExec, encodeShutdown, encodeSync} from './requests.js';
import {get, put, type TransferContext} from './transfers.js';

export interface ConnectOptions {
  readonly channel: Duplex;
  /** How long the agent may take to say HELLO. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** The last lines of the console, for errors: called when one is made. */
  readonly lastLines: () => readonly string[];
  /** How long the guest may keep a transfer of files waiting before it is given up; without it 60 s. */
  readonly stallMs?: number;
  readonly more?: ConnectionOptions['more'];
  readonly explainEnd?: ConnectionOptions['explainEnd'];
}

/** A guest, and the channel to it for those who open sessions of their own kind. */
export interface ConnectedGuest {
  readonly guest: Guest;
  readonly connection: Connection;
}

const STALL_MS = 60_000;

/**
 * Waits for the agent's HELLO. Rejects with DEADLINE, INTERRUPTED, BOOT_FAILED where the channel ends first, and
 * GUEST_PROTOCOL where the other end is no agent of ours; the channel is destroyed then.
 */
export const connectGuest = async (options: ConnectOptions): Promise<Guest> =>
  (await connectChannel(options)).guest;

/** The same, with the channel itself. */
export const connectChannel = (options: ConnectOptions): Promise<ConnectedGuest> =>
  new Promise((resolve, reject) => {
    const {timeoutMs, signal, lastLines} = options;
    const startedAt = performance.now();
    let tellClosed: (error: Error | undefined) => void = () => {};
    const closed = new Promise<Error | undefined>((settle) => {
      tellClosed = settle;
    });
    const onAbort = (): void => connection.end(interruptedError());
    const onDeadline = (): void =>
      connection.end(
        deadlineError('waiting for the guest agent', performance.now() - startedAt, lastLines()),
      );
    const timer = setTimeout(onDeadline, timeoutMs);
    const stopWaiting = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    signal.addEventListener('abort', onAbort);
    const connection = new Connection({
      ...options,
      onHello: (hello) => {
        stopWaiting();
        const context = {hello, connection, closed, lastLines, stallMs: options.stallMs ?? STALL_MS};
        resolve({guest: createGuest(context), connection});
      },
      onEnd: (error) => {
        stopWaiting();
        // After HELLO this changes nothing: the promise is settled.
        reject(error);
        tellClosed(error);
      },
    });
    if (signal.aborted) onAbort();
  });

const interruptedError = (): AgentError =>
  new AgentError('INTERRUPTED', 'waiting for the guest agent was interrupted');

const createGuest = (
  context: TransferContext & {readonly hello: Hello; readonly closed: Promise<Error | undefined>},
): Guest => {
  const {connection, hello, closed} = context;
  return {
    hello,
    exec: (request) => startCommand(connection, request),
    put: (path, tar, options) => put(context, {path, tar, options}),
    get: (path, options) => get(context, path, options),
    sync: (timeoutMs, machineId) =>
      connection.ask({
        type: FrameType.SYNC,
        payload: encodeSync(Date.now(), machineId),
        phase: 'setting the guest clock',
        timeoutMs,
      }),
    ping: (timeoutMs) => {
      const bytes = randomBytes(PING_BYTES);
      const phase = 'waiting for a sign of life from the guest';
      return connection.ask({type: FrameType.PING, payload: bytes, answer: bytes, phase, timeoutMs});
    },
    shutdown: ({graceMs, timeoutMs}) =>
      connection.ask({
        type: FrameType.SHUTDOWN,
        payload: encodeShutdown(graceMs),
        phase: 'shutting down the guest',
        timeoutMs,
      }),
    suspend: (timeoutMs) =>
      connection.ask({
        type: FrameType.SUSPEND,
        payload: Buffer.alloc(0),
        phase: 'bringing the guest to a stand',
        timeoutMs,
      }),
    closed,
    close: () => connection.end(),
  };
};

const startCommand = (connection: Connection, request: ExecRequest): Session =>
  openCommand(connection, {type: FrameType.EXEC, payload: encodeExec(request)});

/** A session that is a command's, whatever opens it. */
export const openCommand = (connection: Connection, kind: SessionKind): Session => {
  const {id, stdin, stdout, stderr, exit, kill, resize} = connection.open(kind);
  const status = exit.then((report) => report.status);
  // The session's error also reaches those who await `exit`; nobody has to.
  status.catch(() => {});
  return {id, stdin, stdout, stderr, exit: status, kill, resize};
};
