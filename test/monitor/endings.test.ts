import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import type {Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterEach, describe, expect, it, vi} from 'vitest';
import {encodeFields, stringField} from '../../src/guest/field-encoder.js';
import {FrameType, Tag} from '../../src/guest/protocol.js';
import {AgentError} from '../../src/model/errors.js';
import {watchHeartbeat} from '../../src/monitor/heartbeat.js';
import {MonitorGoneError} from '../../src/monitor/monitor-gone.js';
import {encodeStatus, monitorVersion} from '../../src/monitor/protocol.js';
import {MAX_CLIENTS, Relay} from '../../src/monitor/relay.js';
import {type ServedGuest, serveGuest} from '../../src/monitor/serve-guest.js';
import {listen} from '../../src/monitor/server.js';
import {command, exited, type FakeGuest} from '../guest/fake-guest.js';
import {until} from '../support/until.js';
import {connectTo, greetFake, serveFake} from './serving.js';

const ending = new AgentError('GUEST_FAILED', 'The guest fell.', {
  details: ['last words'],
  hints: ['try again'],
});
const someStatus = encodeStatus({
  version: monitorVersion,
  accelerator: 'none',
  bootMs: 0,
  isResponsive: true,
  sessions: 0,
  detached: [],
});
const cleanUps: (() => void)[] = [];

afterEach(() => {
  vi.useRealTimers();
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

const start = async (...options: Parameters<typeof serveFake>): ReturnType<typeof serveFake> => {
  const served = await serveFake(...options);
  cleanUps.push(served.stop);
  return served;
};

interface Monitored {
  readonly fake: FakeGuest;
  readonly served: ServedGuest;
  readonly path: string;
  readonly folder: string;
}

/** As the monitor itself serves a guest. */
const monitor = async (idleTimeoutMs: number): Promise<Monitored> => {
  const {fake, connected} = await greetFake();
  const folder = mkdtempSync(join(tmpdir(), 'agent-monitor-'));
  const path = join(folder, 'socket');
  const served = await serveGuest({...connected, path, accelerator: 'none', bootMs: 1, idleTimeoutMs});
  cleanUps.push(() => {
    void served.end(ending);
    rmSync(folder, {recursive: true, force: true});
  });
  return {fake, served, path, folder};
};

describe('the end of the VM', () => {
  it('reaches every client at once, with its reason, also those that flood and those that wait', async () => {
    const {connect, relay, fake} = await start();
    const clients = await Promise.all(Array.from({length: 20}, connect));
    const exits = clients.map((client, index) => {
      const session = client.guest.exec(command);
      if (index % 2 === 0) session.stdin.write(Buffer.alloc(2_000_000));
      return session.exit.catch((error: unknown) => error);
    });
    await until('all sessions are open', () => relay.held === 20);
    fake.end();
    const before = performance.now();
    await relay.end(ending);
    const errors = await Promise.all(exits);
    expect(performance.now() - before).toBeLessThan(900);
    for (const error of errors)
      expect(error).toMatchObject({
        code: 'GUEST_FAILED',
        message: 'The guest fell.',
        details: ['last words'],
        hints: ['try again'],
      });
    for (const client of clients) expect(() => client.guest.exec(command)).toThrow('The guest fell.');
  });

  it('does not wait for a client that has stopped reading', async () => {
    const {connectRaw, relay, fake} = await start();
    const raw = await connectRaw();
    raw.send({type: FrameType.EXEC, session: 1, payload: encodeFields([stringField(Tag.ARG, 'x')])});
    await fake.next(FrameType.EXEC);
    raw.socket.pause();
    fake.send(
      ...[1, 2, 3, 4].map(() => ({type: FrameType.STDOUT, session: 1, payload: Buffer.alloc(65_536)})),
    );
    const before = performance.now();
    await relay.end(ending);
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  it('is what a client without a session hears when it asks for one', async () => {
    const {connect, relay} = await start();
    const client = await connect();
    await relay.end(ending);
    await expect(client.guest.closed).resolves.toMatchObject({message: 'The guest fell.'});
  });

  it('is all that a client hears that comes after it', async () => {
    const {connect, relay} = await start();
    await relay.end(ending);
    const late = await connect();
    await expect(late.guest.closed).resolves.toMatchObject({message: 'The guest fell.'});
  });

  it('before the first word is as if nobody listened: whoever connects looks again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'agent-monitor-'));
    cleanUps.push(() => rmSync(folder, {recursive: true, force: true}));
    const path = join(folder, 'socket');
    const server = await listen({path, onClient: (socket) => socket.destroy()});
    await expect(connectTo(path, folder)).rejects.toBeInstanceOf(MonitorGoneError);
    server.close();
    await expect(connectTo(path, folder)).rejects.toBeInstanceOf(MonitorGoneError);
  });

  it('without a word means that the monitor was killed: the console may tell why', async () => {
    const {fake, connected} = await greetFake();
    const folder = mkdtempSync(join(tmpdir(), 'agent-monitor-'));
    cleanUps.push(() => rmSync(folder, {recursive: true, force: true}));
    writeFileSync(join(folder, 'console.log'), 'first\nlast words\n');
    const path = join(folder, 'socket');
    const sockets: Socket[] = [];
    const relay = new Relay({...connected, describe: () => someStatus, onStuck: () => {}});
    const onClient = (socket: Socket): void => {
      sockets.push(socket);
      relay.addClient(socket);
    };
    const server = await listen({path, onClient});
    const client = await connectTo(path, folder);
    const {exit} = client.guest.exec(command);
    await fake.next(FrameType.EXEC);
    for (const socket of sockets) socket.destroy(); // as the kernel does for a process that is killed
    await expect(exit).rejects.toMatchObject({
      code: 'GUEST_FAILED',
      message: "The monitor of VM 'vm' has ended unexpectedly, and the VM with it.",
      details: ['last console lines:', 'first', 'last words'],
    });
    server.close();
  });
});

describe('a command that outlives SIGKILL', () => {
  it('ends the VM, for nothing that the guest says can be believed any more', async () => {
    const {connect, fake, stuck, relay} = await start({graceMs: 20, killMs: 50});
    const client = await connect();
    client.guest.exec(command);
    await fake.next(FrameType.EXEC);
    client.close();
    expect((await fake.next(FrameType.SIGNAL)).payload).toEqual(Buffer.from([15, 1]));
    expect((await fake.next(FrameType.SIGNAL)).payload).toEqual(Buffer.from([9, 1]));
    await until('the relay gives up', () => stuck.length > 0);
    expect(stuck[0]).toMatchObject({code: 'DEADLINE', message: expect.stringContaining('SIGKILL')});
    expect(relay.held).toBe(1);
  });

  it('is none where it ends in time', async () => {
    const {connect, fake, stuck, relay} = await start({graceMs: 5_000, killMs: 50});
    const client = await connect();
    client.guest.exec(command);
    await fake.next(FrameType.EXEC);
    client.close();
    await fake.next(FrameType.SIGNAL);
    fake.exit(1, exited(0));
    await until('the relay has let go', () => relay.held === 0);
    expect(stuck).toEqual([]);
  });
});

describe('more clients than the monitor takes', () => {
  it('are told so, and the others go on', {timeout: 60_000}, async () => {
    const {connect, fake} = await start();
    const clients = await Promise.all(Array.from({length: MAX_CLIENTS}, connect));
    const late = await connect();
    await expect(late.guest.closed).resolves.toMatchObject({code: 'VM_BUSY'});
    const {exit} = clients[0]?.guest.exec(command) ?? {};
    await fake.next(FrameType.EXEC);
    fake.exit(1, exited(4));
    expect((await exit)?.code).toBe(4);
    clients[1]?.close();
    await until('there is room again', async () => {
      const next = await connect();
      const told = await Promise.race([next.guest.closed, next.guest.ping(50).catch(() => 'open')]);
      return told === 'open';
    });
  });
});

describe('a guest that nobody wants', () => {
  it('is idle after its time, not while a client holds a session, or is connected', async () => {
    const {fake, served, path, folder} = await monitor(400);
    const idle = vi.fn();
    void served.idle.then(idle);
    const client = await connectTo(path, folder);
    const {exit} = client.guest.exec(command);
    await fake.next(FrameType.EXEC);
    await sleep(700);
    expect(idle).not.toHaveBeenCalled();
    fake.exit(1, exited(0));
    await exit;
    // Who is connected may be about to want something.
    await sleep(700);
    expect(idle).not.toHaveBeenCalled();
    client.close();
    await served.idle;
  });

  it('stays for good where the time is 0', async () => {
    const {served} = await monitor(0);
    const idle = vi.fn();
    void served.idle.then(idle);
    await sleep(100);
    expect(idle).not.toHaveBeenCalled();
  });
});

describe('the guest', () => {
  it('has its clock set before a command, where that was long ago', async () => {
    vi.useFakeTimers({toFake: ['Date']});
    const {fake, path, folder} = await monitor(0);
    const client = await connectTo(path, folder);
    client.guest.exec(command);
    await fake.next(FrameType.EXEC);
    // This machine has slept for an hour.
    vi.setSystemTime(Date.now() + 3_600_000);
    client.guest.exec(command);
    const {payload} = await fake.next(FrameType.SYNC);
    expect(payload.readBigUInt64LE(5) / 1_000_000n).toBe(BigInt(Date.now()));
    await fake.next(FrameType.EXEC);
    client.guest.exec(command);
    await fake.next(FrameType.EXEC);
    client.close();
  });

  it('that does not answer is not responsive until it does, however many others ask it', async () => {
    const {fake, connected} = await greetFake();
    const heartbeat = watchHeartbeat(connected.guest, 10, 60);
    cleanUps.push(heartbeat.end);
    expect(heartbeat.isResponsive()).toBe(true);
    const asked = Array.from({length: 70}, () => connected.guest.ping(60_000).catch(() => {}));
    await until('the silence is noticed', () => !heartbeat.isResponsive());
    for (let answered = 0; answered < 65; answered += 1) {
      const {payload} = await fake.next(FrameType.PING);
      fake.send({type: FrameType.PONG, session: 0, payload});
      if (heartbeat.isResponsive()) break;
    }
    await until('it is asked again', () => heartbeat.isResponsive());
    fake.end();
    await Promise.all(asked);
  });
});
