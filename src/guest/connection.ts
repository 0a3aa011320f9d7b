import type {Duplex} from 'node:stream';
import {AgentError, toAgentError} from '../model/errors.js';
import {bootError, endedError, gaveUpError, withLastLines} from './channel-errors.js';
import type {ChannelSession} from './channel-session.js';
import {FrameDecoder, type FrameHead} from './frame-decoder.js';
import type {Frame} from './frame-encoder.js';
import type {Hello} from './guest.js';
import {createLink, type Link} from './link.js';
import {type OpenSession, openSession, type SessionKind} from './open-session.js';
import {FrameType, guestChannelTypes, guestSessionTypes, PING_BYTES} from './protocol.js';
import {protocolError} from './protocol-error.js';
import {createReplies, type Replies} from './replies.js';
import {decodeErrorText, decodeHello} from './reports.js';

export interface ConnectionOptions {
  readonly channel: Duplex;
  readonly lastLines: () => readonly string[];
  readonly onHello: (hello: Hello) => void;
  /** The channel has ended, once, with the reason where it was not asked for. */
  readonly onEnd: (error: AgentError | undefined) => void;
  /** Frames of session 0 that the other end may send beside a guest's. */
  readonly more?: ReadonlyMap<number, (payload: Buffer) => void> | undefined;
  /** What it means that the channel ends without a word, after HELLO. */
  readonly explainEnd?: ((lastLines: readonly string[], cause?: Error) => AgentError) | undefined;
}

export interface ChannelQuestion {
  readonly type:
    | typeof FrameType.PING
    | typeof FrameType.SYNC
    | typeof FrameType.SHUTDOWN
    | typeof FrameType.SUSPEND;
  readonly payload: Buffer;
  /** What the guest must answer; without it a frame without payload. */
  readonly answer?: Buffer;
  /** Names the wait in the error at the deadline. */
  readonly phase: string;
  readonly timeoutMs: number;
}

const NO_BYTES = Buffer.alloc(0);
/** All that an EXIT can have to say: its reason names a path at most. */
const MAX_EXIT_BYTES = 16 * 1024;
const MAX_SESSION = 0xffff_ffff;

/** Payloads of a fixed size, by type. */
const exactSizes: ReadonlyMap<number, number> = new Map([
  [FrameType.WINDOW, 5],
  [FrameType.PONG, PING_BYTES],
  [FrameType.SYNC, 0],
  [FrameType.SHUTDOWN, 0],
  [FrameType.SUSPEND, 0],
]);

/** The channel's state: which sessions are open, what was asked, whether it has ended. All frames pass through here. */
export class Connection {
  readonly #replies: Readonly<Record<ChannelQuestion['type'], Replies>>;
  readonly #link: Link;
  readonly #options: ConnectionOptions;
  readonly #sessions = new Map<number, ChannelSession>();
  #lastSession = 0;
  #hasHello = false;
  /** From here on the channel's end is what was asked for. */
  #mayEnd = false;
  #error: AgentError | undefined;
  #hasEnded = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const {channel, lastLines} = options;
    this.#replies = {
      [FrameType.PING]: createReplies({name: 'PONG', lastLines}),
      [FrameType.SYNC]: createReplies({name: 'SYNC', lastLines}),
      [FrameType.SHUTDOWN]: createReplies({name: 'SHUTDOWN', lastLines}),
      [FrameType.SUSPEND]: createReplies({name: 'SUSPEND', lastLines}),
    };
    this.#link = createLink(channel);
    const decoder = new FrameDecoder({
      accept: (head) => this.#accept(head),
      receive: (head, payload) => this.#receive(head, payload),
    });
    channel.on('data', (chunk: Buffer) => this.#decode(decoder, chunk));
    channel.on('end', () => this.#channelEnded());
    channel.on('close', () => this.#channelEnded());
    channel.on('error', (error) => this.#channelEnded(error));
    if (channel.destroyed || channel.readableEnded) this.#channelEnded();
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Whether it takes more, for those who pass on what others send. */
  get pace(): Pick<Link, 'isWritable' | 'whenWritable'> {
    return this.#link;
  }

  /** Throws when the channel has ended. */
  open(kind: SessionKind): OpenSession {
    return this.add((id, link) => openSession({id, link, kind}));
  }

  /** A session of any kind, which sends what opens it itself. Throws when the channel has ended. */
  add<T extends ChannelSession>(make: (id: number, link: Link) => T): T {
    if (this.#hasEnded) throw this.#told();
    if (this.#lastSession === MAX_SESSION)
      throw new AgentError('INTERNAL', 'The channel is out of sessions.');
    this.#lastSession += 1;
    const session = make(this.#lastSession, this.#link);
    this.#sessions.set(this.#lastSession, session);
    return session;
  }

  /** A frame of no session's kind: for ends that say more than a guest. */
  send(frame: Frame): void {
    if (!this.#hasEnded) this.#link.send(frame);
  }

  /** Asks something about the channel itself: resolves when the guest has answered. */
  async ask({type, payload, answer = NO_BYTES, phase, timeoutMs}: ChannelQuestion): Promise<void> {
    if (this.#hasEnded) throw this.#told();
    const send = (): void => this.#link.send({type, session: 0, payload});
    await this.#replies[type].await({phase, timeoutMs, answer, send});
  }

  /** Closes the channel; whatever is open is told the error, or that this was the end. */
  end(error?: AgentError): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#error = error;
    const told = this.#told();
    for (const session of this.#sessions.values()) session.fail(told);
    this.#sessions.clear();
    for (const replies of Object.values(this.#replies)) replies.fail(told);
    this.#options.channel.destroy();
    this.#options.onEnd(error);
  }

  #told(): AgentError {
    return this.#error ?? endedError([]);
  }

  #channelEnded(cause?: Error): void {
    const explain = this.#hasHello ? (this.#options.explainEnd ?? endedError) : bootError;
    this.end(this.#mayEnd ? undefined : explain(this.#options.lastLines(), cause));
  }

  #decode(decoder: FrameDecoder, chunk: Buffer): void {
    if (this.#hasEnded) return;
    try {
      decoder.push(chunk);
    } catch (error) {
      this.end(withLastLines(toAgentError(error), this.#options.lastLines()));
    }
  }

  #accept({type, session, size}: FrameHead): void {
    const isHello = type === FrameType.HELLO;
    if (isHello === this.#hasHello && type !== FrameType.ERROR) {
      throw protocolError(isHello ? 'it sent HELLO twice' : `it sent type ${type} before HELLO`);
    }
    const allowed = session === 0 ? guestChannelTypes : guestSessionTypes;
    const isMore = session === 0 && this.#options.more?.has(type);
    if (!allowed.includes(type) && !isMore) throw protocolError(`it sent type ${type} in session ${session}`);
    const exact = exactSizes.get(type);
    if (exact !== undefined && exact !== size) throw protocolError(`it sent type ${type} with ${size} bytes`);
    if (session !== 0) this.#acceptInSession(session, type, size);
  }

  #acceptInSession(session: number, type: number, size: number): void {
    if (type === FrameType.EXIT && size > MAX_EXIT_BYTES)
      throw protocolError(`it sent EXIT with ${size} bytes`);
    this.#session(session).accept(type, size);
  }

  #receive({type, session}: FrameHead, payload: Buffer): void {
    if (session === 0) this.#receiveOnChannel(type, payload);
    else this.#receiveInSession(session, type, payload);
  }

  #receiveInSession(id: number, type: number, payload: Buffer): void {
    const session = this.#session(id);
    if (type === FrameType.EXIT) {
      session.end(payload);
      this.#sessions.delete(id);
    } else session.receive(type, payload);
  }

  #receiveOnChannel(type: number, payload: Buffer): void {
    if (type === FrameType.HELLO) {
      const hello = decodeHello(payload);
      this.#hasHello = true;
      this.#options.onHello(hello);
    } else if (type === FrameType.PONG) this.#replies[FrameType.PING].receive(payload);
    else if (type === FrameType.SYNC) this.#replies[FrameType.SYNC].receive(payload);
    else if (type === FrameType.SHUTDOWN || type === FrameType.SUSPEND) {
      this.#replies[type].receive(payload);
      this.#mayEnd = true;
    } else if (type !== FrameType.ERROR) this.#options.more?.get(type)?.(payload);
    else {
      const lastLines = this.#options.lastLines();
      this.end(gaveUpError(decodeErrorText(payload), this.#hasHello, lastLines));
    }
  }

  #session(id: number): ChannelSession {
    const session = this.#sessions.get(id);
    if (session === undefined) throw protocolError(`it names session ${id}, which is not open`);
    return session;
  }
}
