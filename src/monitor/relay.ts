/** All sessions of a VM's clients, and what becomes of those whose client has left. */
import type {Socket} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
import type {ConnectedGuest} from '../guest/connect.js';
import {AgentError, deadlineError} from '../model/errors.js';
import {ClientConnection} from './client-connection.js';
import type {DetachedSession} from './monitors.js';
import {RelayedSession, type SessionTarget} from './relayed-session.js';

export interface RelayOptions extends ConnectedGuest {
  /** What STATUS answers. */
  readonly describe: () => Buffer;
  /** A command outlived SIGKILL: the guest cannot be trusted any more. */
  readonly onStuck: (error: AgentError) => void;
  /** A client is about to open a session. */
  readonly onOpen?: () => void;
  readonly graceMs?: number;
  readonly killMs?: number;
}

interface Open {
  readonly type: number;
  readonly payload: Buffer;
  readonly target: SessionTarget;
  readonly onEnd: () => void;
}

/** More clients than this are told so. */
export const MAX_CLIENTS = 256;
export const GRACE_MS = 2_000;
export const KILL_MS = 30_000;
const SIGTERM = 15;
const SIGKILL = 9;

export class Relay {
  readonly #options: RelayOptions;
  readonly #clients = new Set<ClientConnection>();
  readonly #held = new Set<RelayedSession>();
  readonly #detached = new Map<number, {readonly relayed: RelayedSession; readonly since: Date}>();
  /** Whom to tell that a session has ended: the client that holds it now. */
  readonly #onEnd = new WeakMap<RelayedSession, () => void>();
  #lastTrafficAt = performance.now();
  #ended: AgentError | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** Sessions that clients hold. */
  get held(): number {
    return this.#held.size;
  }

  get detached(): readonly DetachedSession[] {
    return [...this.#detached].map(([session, {since}]) => ({session, since: since.toISOString()}));
  }

  /** How long nobody has wanted anything, in milliseconds; 0 while a client holds a session. */
  idleMs(): number {
    return this.#held.size > 0 ? 0 : performance.now() - this.#lastTrafficAt;
  }

  /** Somebody has connected, and may be about to want something. */
  get isConnected(): boolean {
    return this.#clients.size > 0;
  }

  addClient(socket: Socket): void {
    const client = new ClientConnection(socket, {
      guest: this.#options.guest,
      pace: this.#options.connection.pace,
      describe: this.#options.describe,
      open: (open) => this.#open(open),
      take: (session, target, onEnd) => this.#take(session, target, onEnd),
      leave: (session) => this.#detach(session),
      abandon: (session) => this.#abandon(session),
      onClose: () => this.#clients.delete(client),
    });
    this.#clients.add(client);
    const refusal = this.#ended ?? (this.#clients.size > MAX_CLIENTS ? tooManyError() : undefined);
    if (refusal) void client.end(refusal);
  }

  /** The VM ends: every client is told why. Resolves when all of them have heard it, or do not listen. */
  async end(error: AgentError): Promise<void> {
    this.#ended = error;
    await Promise.all([...this.#clients].map((client) => client.end(error)));
  }

  /** Undefined where the guest has just ended: its clients are about to be told. */
  #open({onEnd, ...open}: Open): RelayedSession | undefined {
    if (this.#options.connection.hasEnded) return undefined;
    this.#options.onOpen?.();
    let ended = (): void => {};
    const relayed: RelayedSession = this.#options.connection.add(
      (id, link) =>
        new RelayedSession({
          ...open,
          id,
          link,
          onTraffic: () => this.#touch(),
          onEnd: () => ended(),
        }),
    );
    this.#held.add(relayed);
    this.#onEnd.set(relayed, onEnd);
    ended = () => {
      this.#touch();
      this.#held.delete(relayed);
      this.#detached.delete(relayed.id);
      this.#onEnd.get(relayed)?.();
    };
    return relayed;
  }

  #touch(): void {
    this.#lastTrafficAt = performance.now();
  }

  #detach(relayed: RelayedSession): void {
    relayed.detach();
    this.#touch();
    this.#held.delete(relayed);
    this.#onEnd.delete(relayed);
    this.#detached.set(relayed.id, {relayed, since: new Date()});
  }

  #take(session: number, target: SessionTarget, onEnd: () => void): RelayedSession | undefined {
    const found = this.#detached.get(session)?.relayed;
    if (!found) return undefined;
    this.#detached.delete(session);
    this.#held.add(found);
    this.#onEnd.set(found, onEnd);
    found.attach(target);
    return found;
  }

  /** SIGTERM, a grace, SIGKILL to all that is left of a session whose client has gone. */
  #abandon(relayed: RelayedSession): void {
    relayed.abandon();
    const gone = new Promise<true>((resolve) => this.#onEnd.set(relayed, () => resolve(true)));
    void this.#endSession(relayed, gone);
  }

  async #endSession(relayed: RelayedSession, gone: Promise<true>): Promise<void> {
    const {graceMs = GRACE_MS, killMs = KILL_MS} = this.#options;
    if (relayed.isCommand) {
      relayed.signal(SIGTERM);
      if (await comesWithin(gone, graceMs)) return;
    }
    relayed.signal(SIGKILL);
    if (await comesWithin(gone, killMs)) return;
    this.#options.onStuck(deadlineError('ending a command in the guest with SIGKILL', killMs));
  }
}

const comesWithin = async (gone: Promise<true>, ms: number): Promise<boolean> => {
  const done = new AbortController();
  const late = sleep(ms, false, {ref: false, signal: done.signal});
  late.catch(() => {}); // it came before
  try {
    return await Promise.race([gone, late]);
  } finally {
    done.abort();
  }
};

const tooManyError = (): AgentError =>
  new AgentError('VM_BUSY', `More than ${MAX_CLIENTS} commands are at work in this VM.`, {
    hints: ['try again when some of them are done'],
  });
