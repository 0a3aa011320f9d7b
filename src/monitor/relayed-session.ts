import type {ChannelSession} from '../guest/channel-session.js';
import type {Link} from '../guest/link.js';
import {FrameType, INITIAL_CREDIT, MAX_SIGNAL, StreamNumber} from '../guest/protocol.js';
import {protocolError} from '../guest/protocol-error.js';
import {decodeExit, decodeWindow} from '../guest/reports.js';
import {encodeSignal, encodeWindow} from '../guest/requests.js';
import {createTail, type Tail} from '../model/tail.js';
import {clientError} from './client-error.js';

/** Who takes what the guest sends in a session. */
export interface SessionTarget {
  readonly send: (type: number, payload: Buffer) => void;
}

interface RelayedSessionOptions {
  readonly id: number;
  readonly link: Link;
  /** EXEC, PUT or GET. */
  readonly type: number;
  readonly payload: Buffer;
  readonly target: SessionTarget;
  /** Called once, when the guest has said EXIT or never will. */
  readonly onEnd: () => void;
  /** Something was said by either side. */
  readonly onTraffic: () => void;
}

/** What a detached session keeps of its output, for whoever takes it up. */
const KEPT_BYTES = 64 * 1024;
/** Credit is given back in portions. */
const PORTION = 32 * 1024;

type Output = typeof StreamNumber.stdout | typeof StreamNumber.stderr;

/**
 * One session of the guest's that a client holds, and nobody where that client has left it. Frames pass through as they
 * are; both sides' credit is counted, so that a guest that breaks the protocol ends the channel, and a client that does so
 * only itself.
 */
export class RelayedSession implements ChannelSession {
  readonly #options: RelayedSessionOptions;
  #target: SessionTarget | undefined;
  #kept: {readonly tail: Tail; size: number} | undefined;
  /** What the guest may still send. */
  readonly #outputCredit: Record<Output, number> = {1: INITIAL_CREDIT, 2: INITIAL_CREDIT};
  /** What the client may still send. */
  #inputCredit = INITIAL_CREDIT;
  #hasInputEnded = false;

  constructor(options: RelayedSessionOptions) {
    this.#options = options;
    this.#target = options.target;
    this.#toGuest(options.type, options.payload);
  }

  get id(): number {
    return this.#options.id;
  }

  get isCommand(): boolean {
    return this.#options.type === FrameType.EXEC;
  }

  accept(type: number, size: number): void {
    const stream = outputStream(type);
    if (stream === undefined) return;
    if (!this.#hasOutput(stream))
      throw protocolError(`it sent type ${type} in a session that has no such output`);
    const credit = this.#outputCredit[stream];
    if (size > credit) throw protocolError(`it sent ${size} bytes with a credit of ${credit}`);
  }

  receive(type: number, payload: Buffer): void {
    this.#options.onTraffic();
    const stream = outputStream(type);
    if (stream === undefined) this.#receiveCredit(payload);
    else this.#outputCredit[stream] -= payload.length;
    if (this.#target) this.#target.send(type, payload);
    else if (stream !== undefined) this.#keep(stream, payload);
  }

  end(payload: Buffer): void {
    decodeExit(payload);
    this.#target?.send(FrameType.EXIT, payload);
    this.#options.onEnd();
  }

  fail(): void {
    this.#options.onEnd();
  }

  /** A frame of the client's. Throws where it may not send that. */
  fromClient(type: number, payload: Buffer): void {
    this.#options.onTraffic();
    if (type === FrameType.STDIN) this.#takeInput(payload.length);
    else if (type === FrameType.STDIN_EOF) this.#endInput();
    else if (type === FrameType.WINDOW) this.#takeCredit(payload);
    else checkControl(type, payload);
    this.#toGuest(type, payload);
  }

  /** The client leaves: it goes on, and what it says is kept. */
  detach(): void {
    this.#target = undefined;
    this.#kept = {tail: createTail(KEPT_BYTES), size: 0};
  }

  /** Another client takes it up, with credit as for a new session but for its input, which begins with none. */
  attach(target: SessionTarget): void {
    const replay = this.#kept?.tail.bytes() ?? Buffer.alloc(0);
    this.#kept = undefined;
    this.#giveCredit(StreamNumber.stdout, INITIAL_CREDIT - replay.length, 1);
    this.#giveCredit(StreamNumber.stderr, INITIAL_CREDIT, 1);
    this.#target = target;
    if (replay.length > 0) target.send(FrameType.STDOUT, replay);
    target.send(FrameType.WINDOW, encodeWindow(StreamNumber.stdin, this.#inputCredit));
  }

  /** The client is gone for good: what comes is dropped. */
  abandon(): void {
    this.#target = undefined;
    this.#kept = undefined;
  }

  signal(signal: number): void {
    this.#toGuest(FrameType.SIGNAL, encodeSignal(signal, 'everything'));
  }

  #keep(stream: Output, payload: Buffer): void {
    if (this.#kept) {
      this.#kept.tail.push(payload);
      this.#kept.size = Math.min(KEPT_BYTES, this.#kept.size + payload.length);
    }
    // Whoever takes it up gets what is kept, and must have credit for that.
    const kept = stream === StreamNumber.stdout ? (this.#kept?.size ?? 0) : 0;
    this.#giveCredit(stream, INITIAL_CREDIT - kept, PORTION);
  }

  #giveCredit(stream: Output, wanted: number, least: number): void {
    const more = wanted - this.#outputCredit[stream];
    if (more < least) return;
    this.#outputCredit[stream] += more;
    this.#toGuest(FrameType.WINDOW, encodeWindow(stream, more));
  }

  #receiveCredit(payload: Buffer): void {
    const more = decodeWindow(payload);
    if (this.#options.type === FrameType.GET)
      throw protocolError('it gave credit in a session without input');
    if (this.#inputCredit + more > INITIAL_CREDIT) {
      throw protocolError(`it gave credit for ${more} bytes that it never got`);
    }
    this.#inputCredit += more;
  }

  #takeInput(size: number): void {
    if (this.#options.type === FrameType.GET) throw clientError('STDIN in a GET');
    if (this.#hasInputEnded) throw clientError('STDIN after STDIN_EOF');
    if (size > this.#inputCredit)
      throw clientError(`${size} bytes of STDIN with a credit of ${this.#inputCredit}`);
    this.#inputCredit -= size;
  }

  #endInput(): void {
    if (this.#options.type === FrameType.GET || this.#hasInputEnded) throw clientError('a second STDIN_EOF');
    this.#hasInputEnded = true;
  }

  #takeCredit(payload: Buffer): void {
    if (payload.length !== 5) throw clientError(`WINDOW of ${payload.length} bytes`);
    const stream = payload.readUInt8(0);
    if (stream !== StreamNumber.stdout && stream !== StreamNumber.stderr) {
      throw clientError(`WINDOW for stream ${stream}`);
    }
    const credit = this.#outputCredit[stream] + payload.readUInt32LE(1);
    if (credit > INITIAL_CREDIT) throw clientError('WINDOW beyond what was sent');
    this.#outputCredit[stream] = credit;
  }

  #hasOutput(stream: Output): boolean {
    const {type} = this.#options;
    return type === FrameType.EXEC || (type === FrameType.GET && stream === StreamNumber.stdout);
  }

  #toGuest(type: number, payload: Buffer): void {
    const {link, id} = this.#options;
    link.send({type, session: id, payload});
  }
}

const outputStream = (type: number): Output | undefined => {
  if (type === FrameType.STDOUT) return StreamNumber.stdout;
  return type === FrameType.STDERR ? StreamNumber.stderr : undefined;
};

const checkControl = (type: number, payload: Buffer): void => {
  if (type === FrameType.RESIZE && payload.length === 4) return;
  const isSignal = type === FrameType.SIGNAL && payload.length === 2;
  const [number = 0, scope = 0] = payload;
  if (!isSignal || number < 1 || number > MAX_SIGNAL || scope > 1)
    throw clientError(`a bad frame of type ${type}`);
};
