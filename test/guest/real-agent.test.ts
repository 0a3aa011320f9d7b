import {buffer, text} from 'node:stream/consumers';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {ExecRequest, Guest, Session} from '../../src/guest/guest.js';
import {noAgentReason, type RealAgent, startAgent} from './real-agent.js';

const shell = (script: string, more: Partial<ExecRequest> = {}): ExecRequest => ({
  argv: ['/bin/sh', '-c', script],
  env: ['PATH=/usr/bin:/bin'],
  cwd: '/',
  user: '',
  ...more,
});

describe.skipIf(noAgentReason)('the real agent', () => {
  let agent: RealAgent;
  let guest: Guest;
  const run = (script: string, more?: Partial<ExecRequest>): Session => guest.exec(shell(script, more));

  beforeAll(async () => {
    agent = await startAgent();
    guest = agent.guest;
  });
  afterAll(async () => {
    await agent.stop();
  });

  it('says hello', () => {
    expect(guest.hello).toMatchObject({version: 1, machine: expect.stringMatching(/^(x86_64|aarch64)$/)});
    expect(guest.hello.memoryBytes).toBeGreaterThan(0);
  });

  it('keeps the streams and the exit code apart', async () => {
    const session = run('printf "$NAME in $PWD"; printf oops >&2; exit 7', {env: ['NAME=x y'], cwd: '/tmp'});
    const [out, err, status] = await Promise.all([text(session.stdout), text(session.stderr), session.exit]);
    expect([out, err]).toEqual(['x y in /tmp', 'oops']);
    expect(status).toMatchObject({code: 7, signal: null, oom: false, reason: null});
  });

  it('says what cannot be started', async () => {
    const status = await guest.exec({argv: ['/no/such'], env: [], cwd: '/', user: ''}).exit;
    expect(status).toMatchObject({code: 127, reason: expect.stringContaining('no such file')});
    const denied = await guest.exec({argv: ['/etc/passwd'], env: [], cwd: '/', user: ''}).exit;
    expect(denied).toMatchObject({code: 126, reason: expect.stringContaining('permission denied')});
    const nowhere = await run('true', {cwd: '/no/such'}).exit;
    expect(nowhere).toMatchObject({code: 125, reason: expect.stringContaining('no such file')});
  });

  it('brings every byte of standard input back', async () => {
    const session = run('cat');
    const bytes = Buffer.alloc(3_000_000, 0).map((_zero, index) => (index * 7) & 0xff);
    session.stdin.end(bytes);
    const [out, status] = await Promise.all([buffer(session.stdout), session.exit]);
    expect(out.equals(bytes)).toBe(true);
    expect(status.code).toBe(0);
  });

  it('takes input for a command that reads none, and after its end', async () => {
    const session = run('exec 0<&-; echo done');
    const taken = new Promise((resolve) => session.stdin.write(Buffer.alloc(2_000_000), resolve));
    expect(await text(session.stdout)).toBe('done\n');
    await session.exit;
    await taken;
    await new Promise((resolve) => session.stdin.end('more', () => resolve(undefined)));
  });

  it('ends a command that ignores SIGTERM, with all its children', async () => {
    const session = run("trap '' TERM; sleep 1000 & echo $! $$; while :; do wait; done");
    const [chunk] = (await session.stdout.take(1).toArray()) as [Buffer];
    const pids = chunk.toString().trim().split(' ').map(Number);
    session.kill(15, 'command');
    session.kill(9, 'everything');
    expect(await session.exit).toMatchObject({code: null, signal: 9});
    session.kill(9, 'everything');
    await Promise.all(pids.map((pid) => untilGone(pid)));
  });

  it('lets other sessions go on while one floods and is not read', async () => {
    const unread = run('yes unread');
    const discarded = run('yes discarded | head -c 20000000; echo end >&2');
    discarded.stdout.destroy();
    const sessions = Array.from({length: 48}, (_none, index) => run(`yes ${index} | head -c 1000000`));
    const sizes = await Promise.all(sessions.map(async (session) => (await buffer(session.stdout)).length));
    expect(sizes).toEqual(sessions.map(() => 1_000_000));
    expect(await text(discarded.stderr)).toBe('end\n');
    unread.kill(9, 'everything');
    unread.stdout.resume();
    expect(await unread.exit).toMatchObject({signal: 9});
  });

  it('sends 100 MB without keeping them', async () => {
    const session = run('head -c 100000000 /dev/zero');
    const before = process.memoryUsage();
    let bytes = 0;
    let peak = 0;
    const startedAt = performance.now();
    for await (const chunk of session.stdout) {
      bytes += chunk.length;
      peak = Math.max(peak, process.memoryUsage.rss());
    }
    const elapsedMs = performance.now() - startedAt;
    expect(bytes).toBe(100_000_000);
    expect(elapsedMs).toBeLessThan(10_000);
    expect(peak - before.rss).toBeLessThan(100 * 1024 * 1024);
    expect((await session.exit).code).toBe(0);
  });

  it('answers questions', async () => {
    await guest.ping(5000);
    const pings = Array.from({length: 20}, () => guest.ping(5000));
    await Promise.all(pings);
  });
});

const untilGone = async (pid: number): Promise<void> => {
  const deadline = Date.now() + 10_000;
  while (isAlive(pid)) {
    if (Date.now() > deadline) throw new Error(`process ${pid} is still there`);
    await new Promise((resolve) => setImmediate(resolve));
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // ESRCH: this is what we wait for.
    return false;
  }
};
