/** Serves a booted guest to the clients of a socket, and tells when nobody has wanted it for long. */
import type {ConnectedGuest} from '../guest/connect.js';
import type {AgentError} from '../model/errors.js';
import {watchHeartbeat} from './heartbeat.js';
import type {MonitorStatus} from './monitors.js';
import {encodeStatus, monitorVersion} from './protocol.js';
import {Relay} from './relay.js';
import {listen} from './server.js';

export interface ServeOptions extends ConnectedGuest {
  /** Of the socket. */
  readonly path: string;
  readonly accelerator: string;
  readonly bootMs: number;
  /** 0: never idle. */
  readonly idleTimeoutMs: number;
}

export interface ServedGuest {
  /** Resolves when the guest has been idle for the time given. */
  readonly idle: Promise<'idle'>;
  /** Resolves when a command could not be ended: the guest cannot be trusted any more. */
  readonly stuck: Promise<AgentError>;
  /** Takes no more clients and tells those that are there why; resolves when they know. */
  readonly end: (error: AgentError) => Promise<void>;
}

/** The guest's clock may lag behind by what this machine has slept: it is set before a command, when that was long ago. */
const CLOCK_AGE_MS = 10_000;
const SYNC_DEADLINE_MS = 60_000;

export const serveGuest = async (options: ServeOptions): Promise<ServedGuest> => {
  const {guest, connection, path} = options;
  const heartbeat = watchHeartbeat(guest);
  const [stuck, onStuck] = settled<AgentError>();
  let clockSetAt = Date.now();
  const setClock = (): void => {
    if (Math.abs(Date.now() - clockSetAt) < CLOCK_AGE_MS) return;
    clockSetAt = Date.now();
    guest.sync(SYNC_DEADLINE_MS).catch(() => {}); // a guest that does not answer is told of elsewhere
  };
  const describe = (): Buffer => encodeStatus(statusOf(options, relay, heartbeat.isResponsive()));
  const relay = new Relay({guest, connection, describe, onStuck, onOpen: setClock});
  const server = await listen({path, onClient: (socket) => relay.addClient(socket)});
  const [idle, onIdle] = settled<'idle'>();
  const stopWatching = watchIdle(relay, options.idleTimeoutMs, () => onIdle('idle'));
  return {
    idle,
    stuck,
    end: (error) => {
      stopWatching();
      heartbeat.end();
      server.close();
      return relay.end(error);
    },
  };
};

const statusOf = (
  {accelerator, bootMs}: ServeOptions,
  {held, detached}: Relay,
  isResponsive: boolean,
): MonitorStatus => ({version: monitorVersion, accelerator, bootMs, isResponsive, sessions: held, detached});

const watchIdle = (relay: Relay, timeoutMs: number, onIdle: () => void): (() => void) => {
  if (timeoutMs === 0) return () => {};
  let timer: NodeJS.Timeout;
  const look = (): void => {
    const left = timeoutMs - relay.idleMs();
    if (left <= 0 && !relay.isConnected) onIdle();
    else timer = setTimeout(look, Math.min(Math.max(left, CLIENT_LOOK_MS), MAX_TIMER_MS));
  };
  look();
  return () => clearTimeout(timer);
};

/** How soon to look again where a client has connected and wants nothing yet. */
const CLIENT_LOOK_MS = 500;
/** What setTimeout takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const settled = <T>(): [Promise<T>, (value: T) => void] => {
  let settle: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    settle = resolve;
  });
  return [promise, settle];
};
