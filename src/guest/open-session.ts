import type {AgentError} from '../model/errors.js';
import type {WindowSize} from '../model/terminal.js';
import type {ChannelSession} from './channel-session.js';
import type {SignalScope} from './guest.js';
import {InputStream} from './input-stream.js';
import type {Link} from './link.js';
import {OutputStream} from './output-stream.js';
import {FrameType, INITIAL_CREDIT, StreamNumber} from './protocol.js';
import {protocolError} from './protocol-error.js';
import {decodeExit, decodeWindow, type ExitReport} from './reports.js';
import {encodeSignal, encodeSize} from './requests.js';
import type {StallWatch} from './stall-watch.js';

/** What a frame opens, and what follows from it. */
export interface SessionKind {
  /** EXEC, PUT, GET, or what else opens a session that is like one of EXEC's. */
  readonly type: number;
  readonly payload: Buffer;
  /** What may be sent to its standard input at once; without it what a new session takes. */
  readonly inputCredit?: number;
  /** For PUT and GET: the error that an EXIT means, if it does. */
  readonly judge?: (report: ExitReport) => AgentError | undefined;
  readonly watch?: StallWatch;
}

export interface OpenSession extends ChannelSession {
  readonly id: number;
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly exit: Promise<ExitReport>;
  readonly kill: (signal: number, scope: SignalScope) => void;
  readonly resize: (size: WindowSize) => void;
}

export const openSession = ({id, link, kind}: {id: number; link: Link; kind: SessionKind}): OpenSession => {
  const {watch, judge} = kind;
  const {promise: exit, resolve, reject} = withoutComplaint<ExitReport>();
  const stdin = new InputStream({session: id, link, watch, credit: kind.inputCredit ?? INITIAL_CREDIT});
  const stdout = new OutputStream({session: id, stream: StreamNumber.stdout, link, watch});
  const stderr = new OutputStream({session: id, stream: StreamNumber.stderr, link, watch});
  let hasExited = false;
  const finish = (error: Error | undefined): void => {
    stdin.over();
    for (const output of [stdout, stderr]) {
      // A transfer that is cut short must not look complete; of a command every byte is worth reading.
      if (error !== undefined && judge !== undefined) output.abandon(error);
      else output.complete();
    }
    if (error !== undefined) reject(error);
  };
  const outputOf = (type: number): OutputStream => {
    if (type === FrameType.STDERR && hasErrors(kind)) return stderr;
    if (type === FrameType.STDOUT && kind.type !== FrameType.PUT) return stdout;
    throw protocolError(`it sent output (type ${type}) in a session that has none`);
  };
  const addCredit = (credit: number): void => {
    if (kind.type === FrameType.GET) throw protocolError('it gave credit in a session without input');
    stdin.addCredit(credit);
  };
  const send = (type: number, payload: Buffer): void => {
    if (!hasExited) link.send({type, session: id, payload});
  };
  link.send({type: kind.type, session: id, payload: kind.payload});
  return {
    id,
    stdin,
    stdout,
    stderr,
    exit,
    kill: (signal, scope) => send(FrameType.SIGNAL, encodeSignal(signal, scope)),
    resize: (size) => send(FrameType.RESIZE, encodeSize(size)),
    accept: (type, size) => {
      if (isOutput(type)) outputOf(type).expect(size);
    },
    receive: (type, payload) => {
      if (isOutput(type)) outputOf(type).receive(payload);
      else addCredit(decodeWindow(payload));
    },
    end: (payload) => {
      const report = decodeExit(payload);
      hasExited = true;
      finish(judge?.(report));
      resolve(report);
    },
    fail: finish,
  };
};

const isOutput = (type: number): boolean => type === FrameType.STDOUT || type === FrameType.STDERR;

const hasErrors = ({type}: SessionKind): boolean => type !== FrameType.PUT && type !== FrameType.GET;

/** A promise whose rejection nobody has to await. */
const withoutComplaint = <T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
} => {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  promise.catch(() => {});
  return {promise, resolve, reject};
};
