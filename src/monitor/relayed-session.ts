import type {ChannelSession} from '../guest/channel-session.js';
import type {Link} from '../guest/link.js';
import {FrameType, INITIAL_CREDIT, MAX_SIGNAL, StreamNumber} from '../guest/protocol.js';
import {protocolError} from '../guest/protocol-error.js';
import {decodeExit, decodeWindow} from '../guest/reports.js';
import {encodeSignal, encodeWindow} from '../guest/requests.js';
import {clientError} from './client-error.js';
import {KeptOutput} from './kept-output.js';

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
  /** Of a detached session, for whoever takes it up. */
  #kept: Record<Output, KeptOutput> | undefined;
  /** What the guest may still send. */
  readonly #outputCredit: Record<Output, number> = {1: INITIAL_CREDIT, 2: INITIAL_CREDIT};
  /** What the client may still send. */
  #inputCredit = INITIAL_CREDIT;
  /** Streams whose credit waits until the guest reads. */
  readonly #waits = new Set<Output>();
  #hasInputEnded = false;
  #isTakenUp = false;

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
    const size = stream === undefined ? this.#receiveCredit(payload) : payload.length;
    // Nothing costs no credit, and could be sent without end.
    if (size === 0) return;
    if (stream !== undefined) this.#outputCredit[stream] -= size;
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
    if (this.#isDeaf && isInput(type)) this.#dropInput(payload);
    else this.#passOn(type, payload);
  }

  /** The client leaves: it goes on, and what it says is kept. */
  detach(): void {
    this.#target = undefined;
    this.#kept = {1: new KeptOutput(), 2: new KeptOutput()};
    this.#giveAllCredit();
  }

  /** Another client takes it up, with credit as for a new session but for its input, which begins with none. */
  attach(target: SessionTarget): void {
    this.#giveAllCredit();
    const kept = this.#kept;
    this.#kept = undefined;
    this.#target = target;
    this.#isTakenUp = true;
    if (kept?.[1].size) target.send(FrameType.STDOUT, kept[1].bytes());
    if (kept?.[2].size) target.send(FrameType.STDERR, kept[2].bytes());
    target.send(FrameType.WINDOW, encodeWindow(StreamNumber.stdin, this.#inputCredit));
  }

  /** The client is gone for good: what comes is dropped. */
  abandon(): void {
    this.#target = undefined;
    this.#kept = undefined;
    this.#giveAllCredit();
  }

  signal(signal: number): void {
    this.#toGuest(FrameType.SIGNAL, encodeSignal(signal, 'everything'));
  }

  #passOn(type: number, payload: Buffer): void {
    if (type === FrameType.STDIN) this.#takeInput(payload.length);
    else if (type === FrameType.STDIN_EOF) this.#endInput(payload.length);
    else if (type === FrameType.WINDOW) this.#takeCredit(payload);
    else checkControl(type, payload);
    this.#toGuest(type, payload);
  }

  #keep(stream: Output, payload: Buffer): void {
    this.#kept?.[stream].push(payload);
    this.#giveCreditInTime(stream);
  }

  /** A guest that sends and never reads must not make us queue a frame for every portion. */
  #giveCreditInTime(stream: Output): void {
    const {link} = this.#options;
    if (link.isWritable()) this.#giveCredit(stream, PORTION);
    else if (!this.#waits.has(stream)) {
      this.#waits.add(stream);
      link.whenWritable(() => {
        this.#waits.delete(stream);
        if (!this.#target) this.#giveCreditInTime(stream);
      });
    }
  }

  /** What the client had read and not told yet: it never will, and the command must not wait for it. */
  #giveAllCredit(): void {
    this.#giveCredit(StreamNumber.stdout, 1);
    this.#giveCredit(StreamNumber.stderr, 1);
  }

  /** As for a new session, but for what is kept: whoever takes that up must have credit for it. */
  #giveCredit(stream: Output, least: number): void {
    const kept = this.#kept?.[stream].size ?? 0;
    const more = INITIAL_CREDIT - kept - this.#outputCredit[stream];
    if (more < least) return;
    this.#outputCredit[stream] += more;
    this.#toGuest(FrameType.WINDOW, encodeWindow(stream, more));
  }

  #receiveCredit(payload: Buffer): number {
    const more = decodeWindow(payload);
    if (this.#options.type === FrameType.GET)
      throw protocolError('it gave credit in a session without input');
    if (this.#inputCredit + more > INITIAL_CREDIT) {
      throw protocolError(`it gave credit for ${more} bytes that it never got`);
    }
    this.#inputCredit += more;
    return more;
  }

  /** Whoever takes up a session cannot know that its input has ended before. */
  get #isDeaf(): boolean {
    return this.#isTakenUp && this.#hasInputEnded;
  }

  #dropInput({length}: Buffer): void {
    if (length > this.#inputCredit)
      throw clientError(`${length} bytes of STDIN with a credit of ${this.#inputCredit}`);
    if (length > 0) this.#target?.send(FrameType.WINDOW, encodeWindow(StreamNumber.stdin, length));
  }

  #takeInput(size: number): void {
    if (this.#options.type === FrameType.GET) throw clientError('STDIN in a GET');
    if (this.#hasInputEnded) throw clientError('STDIN after STDIN_EOF');
    if (size > this.#inputCredit)
      throw clientError(`${size} bytes of STDIN with a credit of ${this.#inputCredit}`);
    this.#inputCredit -= size;
  }

  #endInput(size: number): void {
    if (size > 0) throw clientError(`STDIN_EOF of ${size} bytes`);
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

const isInput = (type: number): boolean => type === FrameType.STDIN || type === FrameType.STDIN_EOF;

const checkControl = (type: number, payload: Buffer): void => {
  if (type === FrameType.RESIZE && payload.length === 4) return;
  const isSignal = type === FrameType.SIGNAL && payload.length === 2;
  const [number = 0, scope = 0] = payload;
  if (!isSignal || number < 1 || number > MAX_SIGNAL || scope > 1)
    throw clientError(`a bad frame of type ${type}`);
};
