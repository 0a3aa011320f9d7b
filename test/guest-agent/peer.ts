import type {Duplex, Readable, Writable} from 'node:stream';
import {
  decodeFields,
  encodeFields,
  encodeFrame,
  type Frame,
  FrameReader,
  initialCredit,
  type Row,
  Tag,
  Type,
  terminalSize,
  u32,
} from './wire.ts';

export type Exit = {
  readonly code: number | undefined;
  readonly signal: number | undefined;
  readonly errno: number | undefined;
  readonly reason: string | undefined;
  readonly oom: boolean;
  readonly cpuUs: number;
  readonly maxRssKib: number;
  readonly elapsedUs: number | undefined;
  readonly limits: number | undefined;
  readonly out: number | undefined;
};

export type SessionOptions = {
  /** Give credit back for all output as it comes. */
  readonly autoCredit?: boolean;
  readonly onOutput?: (chunk: Buffer) => void;
};

const toExit = (payload: Buffer): Exit => {
  const fields = decodeFields(payload);
  const number = (tag: number) => fields.get(tag)?.[0]?.readUInt32LE(0);
  return {
    code: number(Tag.code),
    signal: number(Tag.signal),
    errno: number(Tag.errno),
    reason: fields.get(Tag.reason)?.[0]?.toString(),
    oom: number(Tag.oom) === 1,
    cpuUs: Number(fields.get(Tag.cpu)?.[0]?.readBigUInt64LE(0) ?? -1n),
    elapsedUs: fields.has(Tag.elapsed) ? Number(fields.get(Tag.elapsed)?.[0]?.readBigUInt64LE(0)) : undefined,
    limits: number(Tag.limits),
    out: number(Tag.out),
    maxRssKib: Number(fields.get(Tag.maxRss)?.[0]?.readBigUInt64LE(0) ?? -1n),
  };
};

/** One session as the host sees it: it counts credit in both directions. */
export class Session {
  readonly exit: Promise<Exit>;
  readonly output: Record<'stdout' | 'stderr', Buffer[]> = {stdout: [], stderr: []};
  stdinCredit = initialCredit;
  outputCredit = {stdout: initialCredit, stderr: initialCredit};
  ended = false;
  resolveExit: (exit: Exit) => void = () => {};
  #wake: () => void = () => {};

  constructor(
    readonly id: number,
    private readonly peer: Peer,
    private readonly options: SessionOptions,
  ) {
    this.exit = new Promise((resolve) => {
      this.resolveExit = resolve;
    });
  }

  get stdout(): string {
    return Buffer.concat(this.output.stdout).toString();
  }

  get stderr(): string {
    return Buffer.concat(this.output.stderr).toString();
  }

  /** Sends within credit, waiting for more where it must. */
  async write(data: string | Uint8Array): Promise<void> {
    let rest = Buffer.from(data);
    while (rest.length > 0 && !this.ended) {
      const size = Math.min(rest.length, this.stdinCredit, 65_536);
      if (size === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      this.stdinCredit -= size;
      await this.peer.send(Type.stdin, this.id, rest.subarray(0, size));
      rest = rest.subarray(size);
    }
  }

  async end(data?: string | Uint8Array): Promise<void> {
    if (data !== undefined) await this.write(data);
    await this.peer.send(Type.stdinEof, this.id);
  }

  signal(number: number, scope: 0 | 1): Promise<void> {
    return this.peer.send(Type.signal, this.id, Buffer.of(number, scope));
  }

  resize(rows: number, columns: number): Promise<void> {
    return this.peer.send(Type.resize, this.id, terminalSize(rows, columns));
  }

  giveCredit(stream: 'stdout' | 'stderr', bytes: number): Promise<void> {
    this.outputCredit[stream] += bytes;
    const number = stream === 'stdout' ? 1 : 2;
    return this.peer.send(Type.window, this.id, Buffer.concat([Buffer.of(number), u32(bytes)]));
  }

  receive(frame: Frame): void {
    if (this.ended) throw new Error(`frame ${frame.type} after the EXIT of ${this.id}`);
    if (frame.type === Type.window) {
      if (frame.payload[0] !== 0) throw new Error(`WINDOW for stream ${frame.payload[0]}`);
      this.stdinCredit += frame.payload.readUInt32LE(1);
      if (this.stdinCredit > initialCredit) throw new Error('more credit than was used');
      this.#wake();
    } else if (frame.type === Type.exit) {
      this.ended = true;
      this.#wake();
      this.resolveExit(toExit(frame.payload));
    } else {
      this.#receiveOutput(frame);
    }
  }

  #receiveOutput(frame: Frame): void {
    const stream = frame.type === Type.stdout ? 'stdout' : 'stderr';
    this.outputCredit[stream] -= frame.payload.length;
    if (this.outputCredit[stream] < 0) throw new Error(`${stream} of ${this.id} beyond its credit`);
    if (this.options.onOutput) this.options.onOutput(frame.payload);
    else this.output[stream].push(Buffer.from(frame.payload));
    if (this.options.autoCredit ?? true) void this.giveCredit(stream, frame.payload.length);
  }
}

/** The host's end of a channel, checking every rule that binds the guest. */
export class Peer {
  readonly hello: Promise<Map<number, Buffer[]>>;
  /** The text of ERROR, when the guest sends one. */
  error: string | undefined;
  /** What the guest did wrong. */
  violation: Error | undefined;
  readonly closed: Promise<void>;
  readonly #sessions = new Map<number, Session>();
  readonly #reader = new FrameReader();
  readonly #waiting: {type: number; resolve: (frame: Frame) => void}[] = [];
  #lastSession = 0;

  constructor(
    input: Readable | Duplex,
    private readonly outputStream: Writable | Duplex,
  ) {
    this.hello = this.next(Type.hello).then((frame) => decodeFields(frame.payload));
    this.closed = new Promise((resolve) => {
      input.on('close', resolve);
      input.on('end', resolve);
    });
    input.on('data', (chunk: Buffer) => this.#receive(chunk));
    input.on('error', () => {});
    outputStream.on('error', () => {});
  }

  send(type: number, session: number, payload?: Uint8Array): Promise<void> {
    return this.sendRaw(encodeFrame(type, session, payload));
  }

  sendRaw(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.outputStream.write(bytes, () => resolve());
    });
  }

  /** The next frame of this type on the channel itself. */
  next(type: number): Promise<Frame> {
    return new Promise((resolve) => {
      this.#waiting.push({type, resolve});
    });
  }

  open(type: number, rows: readonly Row[], options: SessionOptions = {}): Session {
    const session = new Session(++this.#lastSession, this, options);
    this.#sessions.set(session.id, session);
    void this.send(type, session.id, encodeFields(rows));
    return session;
  }

  exec(argv: readonly string[], rows: readonly Row[] = [], options?: SessionOptions): Session {
    const args = argv.map((arg): Row => [Tag.arg, arg]);
    return this.open(Type.exec, [...args, ...rows], options);
  }

  sh(script: string, rows: readonly Row[] = [], options?: SessionOptions): Session {
    return this.exec(['/bin/sh', '-c', script], rows, options);
  }

  /** Runs a script without standard input to its end. */
  async run(script: string, rows: readonly Row[] = []): Promise<Exit & {stdout: string; stderr: string}> {
    const session = this.sh(script, rows);
    await session.end();
    const exit = await session.exit;
    return {...exit, stdout: session.stdout, stderr: session.stderr};
  }

  async ping(): Promise<number> {
    const start = performance.now();
    const answer = this.next(Type.pong);
    await this.send(Type.ping, 0, Buffer.from('12345678'));
    const frame = await answer;
    if (frame.payload.toString() !== '12345678') throw new Error('PONG differs');
    return performance.now() - start;
  }

  close(): void {
    this.outputStream.end();
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.push(chunk)) this.#dispatch(frame);
    } catch (error) {
      this.violation ??= error as Error;
    }
  }

  #dispatch(frame: Frame): void {
    if (frame.session !== 0) {
      const session = this.#sessions.get(frame.session);
      if (!session) throw new Error(`frame ${frame.type} of unknown session ${frame.session}`);
      session.receive(frame);
      return;
    }
    if (frame.type === Type.error) this.error = frame.payload.toString();
    const index = this.#waiting.findIndex(({type}) => type === frame.type);
    if (index >= 0) this.#waiting.splice(index, 1)[0]?.resolve(frame);
  }
}
