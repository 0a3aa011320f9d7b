import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type InnerGuest, type Streams, startInner, type VmmOptions} from './inner-guest.ts';
import {bootOuter, type OuterGuest, runIn} from './outer-guest.ts';
import {GUEST_ROOT, ROOT_WITHOUT_AGENT} from './outer-root.ts';

const START_MS = 60_000;
const COMMAND_MS = 60_000;
/** An end that is no hang: 0.2 s on a real machine. */
const END_MS = 20_000;
/** A VM that can end has done so by then. */
const STUCK_MS = 10_000;
/** Where no HELLO says whether a start has worked. */
const ONCE_MORE = {retry: 1};

let outer: OuterGuest;

beforeAll(async () => {
  outer = await bootOuter();
});

afterAll(() => outer?.end());

const withInner = async (options: VmmOptions, use: (inner: InnerGuest) => Promise<void>): Promise<void> => {
  const inner = await startInner(outer, options);
  try {
    await use(inner);
  } finally {
    await inner.vmm.kill();
  }
};

describe.each<Streams>(['pipes', 'sockets'])('over %s', (streams) => {
  test('the end of standard input ends the VM, also while a command runs', () =>
    withInner({streams}, async ({guest, vmm}) => {
      const session = guest.exec({
        argv: ['/bin/sh', '-c', 'trap "" TERM HUP; echo ready; while :; do sleep 1; done'],
        env: ['PATH=/bin'],
        cwd: '/',
        user: '',
      });
      await new Promise((resolve) => session.stdout.once('data', resolve));
      vmm.session.stdin.end();
      expect(await vmm.exitWithin(END_MS)).toMatchObject({code: 0, signal: null});
      expect(vmm.stderr()).toContain('agent: the host closed the channel');
      expect(await guest.closed).toBeInstanceOf(Error);
    }));
});

test.each([
  ['SIGTERM', 15],
  ['SIGKILL', 9],
])('%s ends the process of the VM at once, and the same VM starts again', (_, signal) =>
  withInner({}, async ({guest, vmm}) => {
    vmm.session.kill(signal, 'command');
    expect(await vmm.exitWithin(END_MS)).toMatchObject({code: null, signal});
    expect(await guest.closed).toBeInstanceOf(Error);
    await withInner({}, async (again) => {
      expect((await runIn(again.guest, 'exit 7', COMMAND_MS)).code).toBe(7);
    });
  }),
);

test.each([
  {
    what: 'is missing',
    root: ROOT_WITHOUT_AGENT,
    path: '/.agent',
    code: 127,
    text: 'No such file or directory',
  },
  {
    what: 'may not be executed',
    root: GUEST_ROOT,
    path: '/not-executable',
    code: 126,
    text: 'Permission denied',
  },
])(
  'a program that $what: exit code $code, and why on standard output',
  ONCE_MORE,
  async ({root, path, code, text}) => {
    const end = await outer.run(`krun-start ${root} ${path} </dev/null`, START_MS);
    expect(end).toMatchObject({code, stdout: `Couldn't execute '${path}' inside the vm: ${text}\n`});
  },
);

test('without /dev/kvm it aborts, and says so on standard error', async () => {
  const start = `krun-start ${GUEST_ROOT} /.agent </dev/null`;
  const end = await outer.run(`mv /dev/kvm /dev/away; ${start}; code=$?; mv /dev/away /dev/kvm; exit $code`);
  expect(end).toMatchObject({code: 134, stdout: ''});
  expect(end.stderr).toContain('Error creating the Kvm object');
});

test('with a /dev/kvm that is none it ends as krunvm does, with 255 and its words on standard output', async () => {
  const start = `krun-start ${GUEST_ROOT} /.agent </dev/null`;
  const end = await outer.run(`unshare -m sh -c 'mount --bind /dev/null /dev/kvm; ${start}'`);
  expect(end).toMatchObject({code: 255, stdout: 'Error starting VM\n'});
});

test(
  'a VM with output that nobody reads outlives its standard input; SIGTERM ends it',
  ONCE_MORE,
  async () => {
    const start = `exec krun-start ${GUEST_ROOT} /.agent </dev/null 2>/run/stderr`;
    const shell = `(sh -c 'echo $$ >/run/pid; ${start}'; echo code $? >/run/code) | true; cat /run/code`;
    const ended = outer.run(`rm -f /run/code; ${shell}`, 2 * START_MS);
    const holds = async (condition: string) => (await outer.run(condition)).code === 0;
    const hasEnd = 'grep -q "the host closed the channel" /run/stderr';
    await expect.poll(() => holds(hasEnd), {timeout: START_MS, interval: 500}).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, STUCK_MS));
    expect(await holds('test -e /proc/$(cat /run/pid) && ! test -e /run/code')).toBe(true);
    expect(await holds('kill $(cat /run/pid)')).toBe(true);
    expect(await ended).toMatchObject({code: 0, stdout: 'code 143\n'});
  },
);
