import {randomBytes} from 'node:crypto';
import {Readable} from 'node:stream';
import {text} from 'node:stream/consumers';
import {pipeline} from 'node:stream/promises';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {RunningGuest} from '../../src/monitor/monitors.js';
import {noAgentReason, type RealAgent, startAgent} from '../guest/real-agent.js';
import {until} from '../support/until.js';
import {digest, digestOf, type Served, serve, shellRequest} from './serving.js';

const MIB = 1024 ** 2;

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const run = async (client: RunningGuest, script: string): Promise<{out: string; code: number | null}> => {
  const session = client.guest.exec(shellRequest(script));
  session.stdin.end();
  session.stderr.resume();
  const [out, {code}] = await Promise.all([text(session.stdout), session.exit]);
  return {out, code};
};

/** The number that a session prints first. */
const firstNumber = async (stdout: Readable): Promise<number> => {
  const [chunk] = (await Readable.prototype.take.call(stdout, 1).toArray()) as Buffer[];
  return Number(String(chunk).trim());
};

describe.skipIf(noAgentReason !== undefined)('clients of one guest', () => {
  let agent: RealAgent;
  let served: Served;
  beforeAll(async () => {
    agent = await startAgent();
    served = await serve(agent);
  });
  afterAll(async () => {
    served.stop();
    await agent.stop();
  });

  it('each get their own output and exit code, whatever the numbers of their sessions', async () => {
    const clients = await Promise.all(Array.from({length: 5}, served.connect));
    const work = clients.flatMap((client, index) =>
      [0, 1, 2, 3].map(async (round) => {
        const code = 10 * index + round;
        expect(await run(client, `sleep 0.0${round}; echo ${index}-${round}; exit ${code}`)).toEqual({
          out: `${index}-${round}\n`,
          code,
        });
      }),
    );
    await Promise.all(work);
    for (const client of clients) client.close();
  });

  it('carry 64 MiB of any bytes through, in both directions, byte for byte', {timeout: 120_000}, async () => {
    const client = await served.connect();
    const bytes = randomBytes(64 * MIB);
    const session = client.guest.exec(shellRequest('cat'));
    session.stderr.resume();
    const [came] = await Promise.all([
      digestOf(session.stdout),
      pipeline(Readable.from(pieces(bytes, 100_003)), session.stdin),
    ]);
    expect(came).toEqual(digest(bytes));
    expect((await session.exit).code).toBe(0);
    client.close();
  });

  it('tell the command the end of its input, and hear what it says after that', async () => {
    const client = await served.connect();
    const session = client.guest.exec(shellRequest('cat >/dev/null; echo after; echo oops >&2; exit 3'));
    session.stdin.end('input');
    const [out, err, exit] = await Promise.all([text(session.stdout), text(session.stderr), session.exit]);
    expect([out, err, exit.code]).toEqual(['after\n', 'oops\n', 3]);
    client.close();
  });

  it('tell of a signal that ended a command', async () => {
    const client = await served.connect();
    const session = client.guest.exec(shellRequest('echo $$; exec sleep 100'));
    await firstNumber(session.stdout);
    session.kill(15, 'everything');
    expect(await session.exit).toMatchObject({code: null, signal: 15});
    client.close();
  });

  it('that stop reading stop their own writer, and nobody else', async () => {
    const [lazy, other] = await Promise.all([served.connect(), served.connect()]);
    const script = 'i=0; while [ $i -lt 64 ]; do head -c 65536 /dev/zero; i=$((i+1)); echo $i >&2; done';
    const session = lazy.guest.exec(shellRequest(script));
    const progress: number[] = [];
    session.stderr.on('data', (chunk: Buffer) =>
      progress.push(...String(chunk).trim().split('\n').map(Number)),
    );
    await until('the writer has begun', () => progress.length > 0);
    // Four frames of credit and the pipe: then it stands still while others work.
    for (let round = 0; round < 5; round += 1) expect((await run(other, 'echo ok')).out).toBe('ok\n');
    await sleep(300);
    expect(Math.max(...progress)).toBeLessThan(10);
    expect((await digestOf(session.stdout)).bytes).toBe(64 * 65_536);
    expect((await session.exit).code).toBe(0);
    lazy.close();
    other.close();
  });

  it('that vanish take their commands with them, also those that ignore SIGTERM', {
    timeout: 60_000,
  }, async () => {
    const [victim, other] = await Promise.all([served.connect(), served.connect()]);
    const stubborn = victim.guest.exec(
      shellRequest(`trap '' TERM; sh -c 'trap "" TERM; echo $$; while :; do sleep 1; done' & wait`),
    );
    const polite = victim.guest.exec(shellRequest('echo $$; exec sleep 100'));
    const pids = await Promise.all([firstNumber(stubborn.stdout), firstNumber(polite.stdout)]);
    expect(pids.map(isAlive)).toEqual([true, true]);
    const before = performance.now();
    victim.close();
    await until('both are gone', () => pids.every((pid) => !isAlive(pid)), 10_000);
    expect(performance.now() - before).toBeGreaterThan(1_900);
    await until('the relay has let go', () => served.relay.held === 0, 5_000);
    expect((await run(other, 'echo ok')).out).toBe('ok\n');
    other.close();
  });

  it('that vanish while their command prints without end are ended as fast', async () => {
    const victim = await served.connect();
    const session = victim.guest.exec(shellRequest('trap "" TERM; echo $$; yes'));
    const pid = await firstNumber(session.stdout);
    victim.close();
    await until('it is gone', () => !isAlive(pid) && served.relay.held === 0, 10_000);
  });

  it('leave what a command that has ended left in the background', async () => {
    const client = await served.connect();
    const {out} = await run(client, 'sleep 100 >/dev/null 2>&1 & echo $!');
    client.close();
    const other = await served.connect();
    await run(other, 'true');
    expect(isAlive(Number(out))).toBe(true);
    await run(other, `kill ${Number(out)}`);
    other.close();
  });

  it('get at the files of others', async () => {
    const client = await served.connect();
    const {out} = await run(client, 'd=$(mktemp -d); echo content >$d/file; echo $d');
    const other = await served.connect();
    const limits = {maxBytes: 1e6, maxEntries: 10};
    const archive = await text(other.guest.get(out.trim(), limits));
    expect(archive).toContain('content\n');
    await run(other, `rm -r ${out}`);
    client.close();
    other.close();
  });

  it('hear from the guest when they ask', async () => {
    const client = await served.connect();
    await Promise.all([client.guest.ping(5_000), client.guest.ping(5_000), client.guest.ping(5_000)]);
    expect(client.status).toMatchObject({version: 1, sessions: 0, detached: []});
    client.close();
  });
});

function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
