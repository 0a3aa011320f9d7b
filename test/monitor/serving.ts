/** A monitor's relay on a socket of its own, before a guest that a test brings. */
import {createHash} from 'node:crypto';
import {mkdtempSync, rmSync} from 'node:fs';
import {createConnection, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Readable} from 'node:stream';
import {type ConnectedGuest, connectChannel} from '../../src/guest/connect.js';
import {FrameDecoder} from '../../src/guest/frame-decoder.js';
import {encodeFrame, type Frame} from '../../src/guest/frame-encoder.js';
import type {ExecRequest} from '../../src/guest/guest.js';
import type {AgentError} from '../../src/model/errors.js';
import {connectMonitor} from '../../src/monitor/connect-monitor.js';
import type {RunningGuest} from '../../src/monitor/monitors.js';
import {encodeStatus, monitorVersion} from '../../src/monitor/protocol.js';
import {Relay, type RelayOptions} from '../../src/monitor/relay.js';
import {listen} from '../../src/monitor/server.js';
import {createFakeGuest, type FakeGuest, type ReceivedFrame} from '../guest/fake-guest.js';

export interface Served {
  readonly relay: Relay;
  readonly connect: () => Promise<RunningGuest>;
  readonly connectRaw: () => Promise<RawClient>;
  /** Why the relay wanted the VM to end. */
  readonly stuck: readonly AgentError[];
  readonly stop: () => void;
}

/** What is left out is as in the monitor. */
export const serve = async (
  connected: ConnectedGuest,
  options: Partial<Pick<RelayOptions, 'graceMs' | 'killMs' | 'onOpen'>> = {},
): Promise<Served> => {
  const folder = mkdtempSync(join(tmpdir(), 'agent-monitor-'));
  const socket = join(folder, 'socket');
  const stuck: AgentError[] = [];
  const describe = (): Buffer =>
    encodeStatus({
      version: monitorVersion,
      accelerator: 'none',
      bootMs: 0,
      isResponsive: true,
      sessions: relay.held,
      detached: relay.detached,
    });
  const relay: Relay = new Relay({...connected, ...options, describe, onStuck: (error) => stuck.push(error)});
  const server = await listen({path: socket, onClient: (client) => relay.addClient(client)});
  const clients: {readonly close: () => void}[] = [];
  return {
    relay,
    stuck,
    connect: async () => {
      const client = await connectTo(socket, folder);
      clients.push(client);
      return client;
    },
    connectRaw: async () => {
      const client = await connectRaw(socket);
      clients.push({close: () => client.socket.destroy()});
      return client;
    },
    stop: () => {
      for (const client of clients) client.close();
      server.close();
      rmSync(folder, {recursive: true, force: true});
    },
  };
};

export const connectTo = (socket: string, folder: string): Promise<RunningGuest> =>
  connectMonitor({id: 'vm', socket, folder}, {signal: new AbortController().signal});

/** A relay before a guest that the test plays. */
export const serveFake = async (
  options: Parameters<typeof serve>[1] = {},
): Promise<Served & {readonly fake: FakeGuest; readonly connected: ConnectedGuest}> => {
  const {fake, connected} = await greetFake();
  return {...(await serve(connected, options)), fake, connected};
};

export const greetFake = async (): Promise<{
  readonly fake: FakeGuest;
  readonly connected: ConnectedGuest;
}> => {
  const fake = createFakeGuest();
  fake.hello();
  const connected = await connectChannel({
    channel: fake.channel,
    timeoutMs: 5_000,
    signal: new AbortController().signal,
    lastLines: () => ['the console said this'],
  });
  return {fake, connected};
};

/** A client that keeps none of the rules. */
export interface RawClient {
  readonly socket: Socket;
  readonly send: (...frames: Frame[]) => void;
  /** What came so far, WINDOW and all. */
  readonly came: readonly ReceivedFrame[];
  /** The first frame of the type, now or later; rejects at the connection's end. */
  readonly first: (type: number) => Promise<ReceivedFrame>;
  readonly closed: Promise<void>;
}

export const connectRaw = async (path: string): Promise<RawClient> => {
  const socket = createConnection(path);
  const came: ReceivedFrame[] = [];
  let wake = (): void => {};
  let isClosed = false;
  const decoder = new FrameDecoder({
    accept: () => {},
    receive: (head, payload) => {
      came.push({...head, payload: Buffer.from(payload)});
      wake();
    },
  });
  socket.on('data', (chunk: Buffer) => decoder.push(chunk));
  socket.on('error', () => {}); // a monitor may close at any time
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      isClosed = true;
      wake();
      resolve();
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  const first = async (type: number): Promise<ReceivedFrame> => {
    for (;;) {
      const frame = came.find((each) => each.type === type);
      if (frame) return frame;
      if (isClosed) throw new Error(`the connection ended before a frame of type ${type}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    socket,
    send: (...frames) => void socket.write(Buffer.concat(frames.map(encodeFrame))),
    came,
    first,
    closed,
  };
};

export const shellRequest = (script: string): ExecRequest => ({
  argv: ['/bin/sh', '-c', script],
  env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
  cwd: '/',
  user: '',
});

export const digestOf = async (
  stream: Readable,
): Promise<{readonly bytes: number; readonly sha256: string}> => {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of stream) {
    const piece: Buffer = chunk;
    hash.update(piece);
    bytes += piece.length;
  }
  return {bytes, sha256: hash.digest('hex')};
};

export const digest = (bytes: Buffer): {readonly bytes: number; readonly sha256: string} => ({
  bytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
});
