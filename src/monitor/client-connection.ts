import type {Socket} from 'node:net';
import {encodeHello} from '../guest/encode-hello.js';
import {encodeFields, stringField, u32Field} from '../guest/field-encoder.js';
import {FrameDecoder, type FrameHead} from '../guest/frame-decoder.js';
import type {Guest} from '../guest/guest.js';
import {createLink, type Link} from '../guest/link.js';
import {FrameType, PING_BYTES, Tag} from '../guest/protocol.js';
import type {AgentError} from '../model/errors.js';
import {clientError} from './client-error.js';
import {encodeFailure, MonitorFrame} from './protocol.js';
import type {RelayedSession, SessionTarget} from './relayed-session.js';

export interface ClientConnectionOptions {
  readonly guest: Guest;
  readonly describe: () => Buffer;
  readonly open: (open: {
    readonly type: number;
    readonly payload: Buffer;
    readonly target: SessionTarget;
    readonly onEnd: () => void;
  }) => RelayedSession;
  /** Undefined where there is no such session without a client. */
  readonly take: (session: number, target: SessionTarget, onEnd: () => void) => RelayedSession | undefined;
  readonly leave: (session: RelayedSession) => void;
  readonly abandon: (session: RelayedSession) => void;
  readonly onClose: () => void;
}

const PING_DEADLINE_MS = 60_000;

/** One client on the monitor's socket. It is of our own user, and yet nothing that it sends harms the VM or the others. */
export class ClientConnection {
  readonly #options: ClientConnectionOptions;
  readonly #socket: Socket;
  readonly #link: Link;
  readonly #sessions = new Map<number, RelayedSession>();
  #lastSession = 0;

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
    socket.on('close', () => this.#closed());
    this.#send(FrameType.HELLO, encodeHello(options.guest.hello));
    this.#send(MonitorFrame.STATUS, options.describe());
  }

  end(error: AgentError): void {
    this.#sessions.clear();
    this.#send(MonitorFrame.FAILURE, encodeFailure(error));
    this.#socket.destroySoon();
  }

  #decode(decoder: FrameDecoder, chunk: Buffer): void {
    if (this.#socket.destroyed) return;
    try {
      decoder.push(chunk);
    } catch {
      this.#socket.destroy();
    }
  }

  #closed(): void {
    for (const session of this.#sessions.values()) this.#options.abandon(session);
    this.#sessions.clear();
    this.#options.onClose();
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
    const answer = Buffer.from(payload);
    // What the guest does not answer, the client's own deadline tells.
    this.#options.guest.ping(PING_DEADLINE_MS).then(
      () => this.#send(FrameType.PONG, answer),
      () => {},
    );
  }

  #inSession(type: number, id: number, payload: Buffer): void {
    const session = this.#sessions.get(id);
    if (!session) return;
    if (type === MonitorFrame.DETACH) {
      this.#sessions.delete(id);
      this.#options.leave(session);
    } else session.fromClient(type, payload);
  }

  #open(type: number, id: number, payload: Buffer): void {
    const target: SessionTarget = {
      send: (sent, bytes) => this.#link.send({type: sent, session: id, payload: bytes}),
    };
    const onEnd = (): void => {
      this.#sessions.delete(id);
    };
    const session =
      type === MonitorFrame.ATTACH
        ? this.#take(payload, target, onEnd)
        : this.#options.open({type, payload, target, onEnd});
    if (session) this.#sessions.set(id, session);
    else target.send(FrameType.EXIT, noSuchSession);
  }

  #take(payload: Buffer, target: SessionTarget, onEnd: () => void): RelayedSession | undefined {
    if (payload.length !== 4) throw clientError(`ATTACH of ${payload.length} bytes`);
    return this.#options.take(payload.readUInt32LE(0), target, onEnd);
  }

  #send(type: number, payload: Buffer): void {
    this.#link.send({type, session: 0, payload});
  }
}

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
