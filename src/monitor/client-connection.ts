import type {Socket} from 'node:net';
import {encodeHello} from '../guest/encode-hello.js';
import {encodeFields, stringField, u32Field} from '../guest/field-encoder.js';
import {FrameDecoder, type FrameHead} from '../guest/frame-decoder.js';
import type {Guest} from '../guest/guest.js';
import {createLink, type Link} from '../guest/link.js';
import {FrameType, PING_BYTES, Tag} from '../guest/protocol.js';
import {AgentError, toAgentError} from '../model/errors.js';
import {checkRequest} from './check-request.js';
import {ClientError, clientError} from './client-error.js';
import {Outbox} from './outbox.js';
import {encodeFailure, MonitorFrame} from './protocol.js';
import type {RelayedSession, SessionTarget} from './relayed-session.js';

export interface ClientConnectionOptions {
  readonly guest: Guest;
  /** Whether the guest's channel takes more: a client is not read from while it does not. */
  readonly pace: Pick<Link, 'isWritable' | 'whenWritable'>;
  readonly describe: () => Buffer;
  /** Undefined where the guest has just ended. */
  readonly open: (open: {
    readonly type: number;
    readonly payload: Buffer;
    readonly target: SessionTarget;
    readonly onEnd: () => void;
  }) => RelayedSession | undefined;
  /** Undefined where there is no such session without a client. */
  readonly take: (session: number, target: SessionTarget, onEnd: () => void) => RelayedSession | undefined;
  readonly leave: (session: RelayedSession) => void;
  readonly abandon: (session: RelayedSession) => void;
  readonly onClose: () => void;
}

/** A late answer is passed on as well: answers come in the order of the questions. */
/** As many as a guest takes of all its clients. */
const MAX_SESSIONS = 512;
const PING_DEADLINE_MS = 24 * 3_600_000;
/** More questions than that are never open at once: the guest answers only so many. */
export const MAX_PINGS = 8;
/** How long a client gets to read why its connection ends. */
export const LEAVE_MS = 1_000;

/** One client on the monitor's socket. It is of our own user, and yet nothing that it sends harms the VM or the others. */
export class ClientConnection {
  readonly #options: ClientConnectionOptions;
  readonly #socket: Socket;
  readonly #link: Link;
  readonly #sessions = new Map<number, RelayedSession>();
  #lastSession = 0;
  #pings = 0;
  #hasEnded = false;
  readonly #gone: Promise<void>;

  constructor(socket: Socket, options: ClientConnectionOptions) {
    this.#options = options;
    this.#socket = socket;
    this.#link = createLink(socket);
    const decoder = new FrameDecoder({
      accept: (head) => this.#accept(head),
      receive: (head, payload) => this.#receive(head, payload),
    });
    socket.on('data', (chunk: Buffer) => this.#decode(decoder, chunk));
    socket.on('error', () => {}); // its close follows
    this.#gone = new Promise((resolve) => {
      socket.on('close', () => {
        this.#closed();
        resolve();
      });
    });
    this.#send(FrameType.HELLO, encodeHello(options.guest.hello));
    this.#send(MonitorFrame.STATUS, options.describe());
  }

  /** The VM has ended, and its sessions with it. Resolves when the client has closed, or had the time to. */
  end(error: AgentError): Promise<void> {
    if (this.#hasEnded) return this.#gone;
    this.#hasEnded = true;
    this.#sessions.clear();
    this.#send(MonitorFrame.FAILURE, encodeFailure(error));
    // What it still sends is read and dropped: closing on that would take the reason from it.
    this.#socket.resume();
    this.#socket.end();
    const late = setTimeout(() => this.#socket.destroy(), LEAVE_MS);
    void this.#gone.then(() => clearTimeout(late));
    return this.#gone;
  }

  #decode(decoder: FrameDecoder, chunk: Buffer): void {
    if (this.#hasEnded) return;
    try {
      decoder.push(chunk);
      this.#keepPace();
    } catch (error) {
      this.#abandonAll();
      void this.end(asClientError(error));
    }
  }

  /** A client that sends faster than the guest or itself reads waits, instead of filling our memory. */
  #keepPace(): void {
    const full = [this.#options.pace, this.#link].find((link) => !link.isWritable());
    if (!full || this.#hasEnded) return;
    this.#socket.pause();
    full.whenWritable(() => {
      this.#socket.resume();
      this.#keepPace();
    });
  }

  #closed(): void {
    this.#abandonAll();
    this.#hasEnded = true;
    this.#options.onClose();
  }

  #abandonAll(): void {
    for (const session of this.#sessions.values()) this.#options.abandon(session);
    this.#sessions.clear();
  }

  #accept({type, session}: FrameHead): void {
    const isKnown = session === 0 ? channelTypes.has(type) : sessionTypes.has(type) || openingTypes.has(type);
    if (!isKnown) throw clientError(`type ${type} in session ${session}`);
    if (!openingTypes.has(type)) return;
    if (session <= this.#lastSession) throw clientError(`session ${session} after ${this.#lastSession}`);
    this.#lastSession = session;
  }

  #receive({type, session}: FrameHead, payload: Buffer): void {
    if (session === 0) this.#onChannel(type, payload);
    else if (openingTypes.has(type)) this.#open(type, session, payload);
    else if (session > this.#lastSession)
      throw clientError(`type ${type} for session ${session}, which is not open`);
    // One that has ended meanwhile is nothing to complain about.
    else this.#inSession(type, session, payload);
  }

  #onChannel(type: number, payload: Buffer): void {
    if (type === MonitorFrame.STATUS) this.#send(MonitorFrame.STATUS, this.#options.describe());
    else this.#ping(payload);
  }

  #ping(payload: Buffer): void {
    if (payload.length !== PING_BYTES) throw clientError(`PING of ${payload.length} bytes`);
    if (this.#pings >= MAX_PINGS) throw clientError(`more than ${MAX_PINGS} PINGs at once`);
    this.#pings += 1;
    const answer = Buffer.from(payload);
    // What the guest does not answer, the client's own deadline tells.
    this.#options.guest
      .ping(PING_DEADLINE_MS)
      .then(() => this.#send(FrameType.PONG, answer))
      .catch(() => {})
      .finally(() => {
        this.#pings -= 1;
      });
  }

  #inSession(type: number, id: number, payload: Buffer): void {
    const session = this.#sessions.get(id);
    if (!session) return;
    if (type === MonitorFrame.DETACH) {
      if (!session.isCommand) throw clientError('DETACH of a transfer');
      this.#sessions.delete(id);
      this.#options.leave(session);
    } else session.fromClient(type, payload);
  }

  #open(type: number, id: number, payload: Buffer): void {
    checkRequest(type, payload);
    if (this.#sessions.size >= MAX_SESSIONS) throw clientError(`more than ${MAX_SESSIONS} sessions at once`);
    const target = new Outbox(this.#link, id);
    const onEnd = (): void => {
      this.#sessions.delete(id);
    };
    const session =
      type === MonitorFrame.ATTACH
        ? this.#options.take(payload.readUInt32LE(0), target, onEnd)
        : this.#options.open({type, payload, target, onEnd});
    if (session) this.#sessions.set(id, session);
    else if (type === MonitorFrame.ATTACH) target.send(FrameType.EXIT, noSuchSession);
  }

  #send(type: number, payload: Buffer): void {
    this.#link.send({type, session: 0, payload});
  }
}

const asClientError = (thrown: unknown): AgentError => {
  if (thrown instanceof ClientError || !(thrown instanceof AgentError)) return toAgentError(thrown);
  return clientError('what is no frame'); // the decoder, which blames the guest
};

const openingTypes: ReadonlySet<number> = new Set([
  FrameType.EXEC,
  FrameType.PUT,
  FrameType.GET,
  MonitorFrame.ATTACH,
]);
const sessionTypes: ReadonlySet<number> = new Set([
  FrameType.STDIN,
  FrameType.STDIN_EOF,
  FrameType.SIGNAL,
  FrameType.RESIZE,
  FrameType.WINDOW,
  MonitorFrame.DETACH,
]);
const channelTypes: ReadonlySet<number> = new Set([FrameType.PING, MonitorFrame.STATUS]);

const noSuchSession = encodeFields([
  u32Field(Tag.CODE, 125),
  stringField(Tag.REASON, 'there is no such shell any more'),
]);
