import type {AgentError} from '../model/errors.js';
import type {SignalScope, TerminalSize} from './guest.js';
import {InputStream} from './input-stream.js';
import type {Link} from './link.js';
import {OutputStream} from './output-stream.js';
import {FrameType, StreamNumber} from './protocol.js';
import {protocolError} from './protocol-error.js';
import type {ExitReport} from './reports.js';
import {encodeSignal, encodeSize} from './requests.js';
import type {StallWatch} from './stall-watch.js';

/** What a frame opens, and what follows from it. */
export interface SessionKind {
  readonly type: typeof FrameType.EXEC | typeof FrameType.PUT | typeof FrameType.GET;
  readonly payload: Buffer;
  /** For PUT and GET: the error that an EXIT means, if it does. */
  readonly judge?: (report: ExitReport) => AgentError | undefined;
  readonly watch?: StallWatch;
}

export interface OpenSession {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly exit: Promise<ExitReport>;
  readonly kill: (signal: number, scope: SignalScope) => void;
  readonly resize: (size: TerminalSize) => void;
  /** The stream that a STDOUT or STDERR frame feeds; throws where this kind of session has none. */
  readonly outputOf: (type: number) => OutputStream;
  readonly addCredit: (credit: number) => void;
  /** The guest has said EXIT. */
  readonly end: (report: ExitReport) => void;
  /** No EXIT will come, or nobody waits for it any longer. */
  readonly fail: (error: Error) => void;
}

export const openSession = ({id, link, kind}: {id: number; link: Link; kind: SessionKind}): OpenSession => {
  const {watch, judge} = kind;
  const {promise: exit, resolve, reject} = withoutComplaint<ExitReport>();
  const stdin = new InputStream({session: id, link, watch});
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
  link.send({type: kind.type, session: id, payload: kind.payload});
  return {
    stdin,
    stdout,
    stderr,
    exit,
    kill: (signal, scope) => {
      if (!hasExited) link.send({type: FrameType.SIGNAL, session: id, payload: encodeSignal(signal, scope)});
    },
    resize: (size) => {
      if (!hasExited) link.send({type: FrameType.RESIZE, session: id, payload: encodeSize(size)});
    },
    outputOf: (type) => {
      if (kind.type === FrameType.EXEC && type === FrameType.STDERR) return stderr;
      if (kind.type !== FrameType.PUT && type === FrameType.STDOUT) return stdout;
      throw protocolError(`it sent output (type ${type}) in a session that has none`);
    },
    addCredit: (credit) => {
      if (kind.type === FrameType.GET) throw protocolError('it gave credit in a session without input');
      stdin.addCredit(credit);
    },
    end: (report) => {
      hasExited = true;
      finish(judge?.(report));
      resolve(report);
    },
    fail: finish,
  };
};

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
