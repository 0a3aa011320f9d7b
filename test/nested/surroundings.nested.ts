import {afterAll, beforeAll, expect, test} from 'vitest';
import {type InnerGuest, startInner} from './inner-guest.ts';
import {bootOuter, type OuterGuest, readAll, runIn} from './outer-guest.ts';
import {LOSING_STARTS} from './outer-root.ts';

const COMMAND_MS = 60_000;

let outer: OuterGuest;
let inner: InnerGuest;

beforeAll(async () => {
  outer = await bootOuter();
  inner = await startInner(outer, {streams: 'sockets'});
});

afterAll(() => outer?.end());

const run = async (script: string): Promise<string> => {
  const {code, stdout, stderr} = await runIn(inner.guest, script, COMMAND_MS);
  if (code !== 0) throw new Error(`${script}: ${code}, ${stderr}`);
  return stdout;
};

test('libkrun has mounted everything but the message queues, which the agent adds; nothing twice', async () => {
  const mounts = (await run('cut -d" " -f2,3 /proc/mounts')).trim().split('\n');
  expect(mounts).toEqual([
    '/ virtiofs',
    '/dev devtmpfs',
    '/proc proc',
    '/sys sysfs',
    '/sys/fs/cgroup cgroup2',
    '/dev/pts devpts',
    '/dev/shm tmpfs',
    '/dev/mqueue mqueue',
  ]);
});

test('the agent is no process 1, and was started by its name without arguments', async () => {
  expect(await run('tr "\\0" " " </proc/1/cmdline')).toContain('/init.krun');
  expect(await run('tr "\\0" " " </proc/$(pidof .agent)/cmdline')).toBe('/.agent ');
});

test('the channel is two virtio ports', async () => {
  const ports = 'cd /sys/class/virtio-ports; for fd in 0 1 2; do';
  const name = 'cat "$(basename "$(readlink /proc/$(pidof .agent)/fd/$fd)")/name"; done';
  expect(await run(`${ports} ${name}`)).toBe('krun-stdin\nkrun-stdout\nkrun-stderr\n');
});

test("the agent's own environment is libkrun's and the image's, and reaches no command", async () => {
  const own = (await run('tr "\\0" "\\n" </proc/$(pidof .agent)/environ')).trim().split('\n').toSorted();
  expect(own).toEqual([
    'FROM_IMAGE=1',
    'HOME=/root',
    'HOSTNAME=nested',
    'KRUN_INIT=/.agent',
    'PATH=/usr/bin:/bin',
    'TERM=linux',
  ]);
  const session = inner.guest.exec({argv: ['cat', '/proc/self/environ'], env: ['A=1'], cwd: '/', user: ''});
  expect((await readAll(session.stdout)).toString()).toBe('A=1\0HOME=/root\0');
});

test('a session is a cgroup with limits, below one with limits', async () => {
  expect(await run('cat /proc/self/cgroup')).toMatch(/^0::\/agent\/s\d+\n$/);
  const [memory = '', tasks = ''] = (await run('cd /sys/fs/cgroup/agent; cat memory.max pids.max')).split(
    '\n',
  );
  expect(Number(memory)).toBeGreaterThan(64 * 1024 * 1024);
  expect(Number(memory)).toBeLessThan(300 * 1024 * 1024);
  expect(Number(tasks)).toBeGreaterThan(0);
});

test('SYNC sets the clock', async () => {
  await run('date -s "2001-01-01 00:00:00"');
  expect(Number(await run('date +%s'))).toBeLessThan(1_000_000_000);
  await inner.guest.sync(COMMAND_MS);
  const drift = Number(await run('date +%s')) - Date.now() / 1000;
  expect(Math.abs(drift)).toBeLessThan(30);
  expect(inner.vmm.stderr()).not.toMatch(/clock|entropy/);
});

test('what every guest has is there', async () => {
  expect(await run('cd /dev; for i in fd stdin stdout stderr /workspace/in; do readlink $i; done')).toBe(
    '/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n/in\n',
  );
  expect(await run('stat -c "%a %F" /in /out /persist /tmp /dev/shm')).toBe('1777 directory\n'.repeat(5));
  expect(await run('hostname; grep nested /etc/hosts')).toBe('nested\n127.0.1.1\tnested\n');
  expect(await run('cat /etc/resolv.conf')).toBe('options use-vc\nnameserver 127.0.0.1\n');
  expect(await run('echo >/dev/stdout there')).toBe('there\n');
  expect(Number(await run('cat /sys/class/net/lo/flags')) & 1).toBe(1);
});

test.each(Object.keys(LOSING_STARTS))(
  'the agent finds the ports again that %s has closed',
  async (command) => {
    await inner.vmm.kill();
    inner = await startInner(outer, {streams: 'sockets', command});
    expect(inner.vmm.stderr()).toMatch(/agent: opened [13] ports that libkrun's init had not/);
    expect(await run('head -c 100000 /dev/zero | wc -c')).toBe('100000\n');
    await inner.guest.shutdown({graceMs: 1000, timeoutMs: COMMAND_MS});
    expect(await inner.vmm.exitWithin(COMMAND_MS)).toMatchObject({code: 0});
  },
);
