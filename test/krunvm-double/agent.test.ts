import {Duplex} from 'node:stream';
import {buffer, text} from 'node:stream/consumers';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {connectGuest} from '../../src/guest/connect.js';
import {eventually} from '../guest-agent/eventually.js';
import {agentProgram} from '../guest-agent/stdio-agent.js';
import {makeShellGuest, type ShellGuest} from './shell-guest.js';

let vm: ShellGuest;
beforeAll(async () => {
  vm = await makeShellGuest({agent: agentProgram()});
});
afterAll(() => vm?.remove());

const boot = async () => {
  const child = vm.spawn(['start', 'vm', '/.agent']);
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += String(chunk);
  });
  const ended = new Promise<number | string | null>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  const guest = await connectGuest({
    channel: Duplex.from({readable: child.stdout, writable: child.stdin}),
    timeoutMs: 20_000,
    signal: new AbortController().signal,
    lastLines: () => log.split('\n'),
  });
  return {child, guest, ended, log: () => log};
};

it('boots the guest agent, which runs commands over the pipes', async () => {
  const {guest, ended, log} = await boot();
  expect(guest.hello.version).toBe(1);
  const session = guest.exec({
    argv: ['/bin/sh', '-c', 'echo "$1"; cat; echo beside >&2; exit 9', 'sh', 'say "hi" — now\n'],
    env: ['PATH=/bin'],
    cwd: '/',
    user: '',
  });
  session.stdin.end(Buffer.alloc(300_000, 'x'));
  const [stdout, stderr, exit] = await Promise.all([
    buffer(session.stdout),
    text(session.stderr),
    session.exit,
  ]);
  expect(String(stdout.subarray(0, 20))).toContain('say "hi" — now');
  expect([stdout.length > 300_000, stderr, exit]).toEqual([
    true,
    'beside\n',
    expect.objectContaining({code: 9}),
  ]);
  await guest.sync(5000);
  // It has no right to the random numbers of the machine; nor does it end for that.
  await eventually(log).toContain('entropy: Operation not permitted');
  await guest.shutdown({graceMs: 1000, timeoutMs: 5000});
  guest.close();
  expect(await ended).toBe(0);
});

it('ends the agent when the channel is closed', async () => {
  const {child, ended} = await boot();
  child.stdin.end();
  expect(await ended).toBe(0);
});
