/** What ends a guest that has a kernel of its own, and a command line that is busy with something else or stopped. */
import {once} from 'node:events';
import {createServer, type Socket} from 'node:net';
import {describe, expect, it} from 'vitest';
import {agent, jsonLines, startAgent} from '../support/agent.js';
import {until} from '../support/until.js';
import {leftoversOf, nothing, useState} from '../support/vm-state.js';

const state = useState();

describe('a guest that', () => {
  it.each([
    ['panics', 'echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger; sleep 100', 125],
    ['switches itself off', 'echo 1 > /proc/sys/kernel/sysrq; echo o > /proc/sysrq-trigger; sleep 100', 125],
    ['forks for ever', 'f() { f | f & }; f; sleep 100', 124],
  ])('%s is ended in time', async (_, command, code) => {
    const startedAt = Date.now();
    const args = ['vm', 'temp', '--language', 'python', '--cmd', command, '--timeout', '8s'];
    const result = await agent(args, {state});
    expect(Date.now() - startedAt).toBeLessThan(60_000);
    expect(result.code).toBe(code);
    expect(result.events.filter(({level}) => level === 'error')).toHaveLength(1);
    expect(await leftoversOf(state)).toEqual(nothing);
  });
});

it('a signal while an image is pulled ends that too', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const child = startAgent(['vm', 'create', '--image', `127.0.0.1:${port}/library/nothing:1`], {state});
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = once(child, 'close');
  await until('the registry is asked', () => sockets.length > 0);
  child.kill('SIGINT');
  const [code] = await ended;
  for (const socket of sockets) socket.destroy();
  silent.close();
  expect({code, events: jsonLines(stderr)}).toMatchObject({code: 130, events: [{code: 'INTERRUPTED'}]});
  expect(await leftoversOf(state)).toEqual(nothing);
});

it('a command line that is stopped does not keep others from its VM', async () => {
  const child = startAgent(['vm', 'temp', '--language', 'python', '--cmd', 'echo up; sleep 300'], {state});
  const ended = once(child, 'close');
  if (child.stdout) await once(child.stdout, 'data');
  child.stderr?.resume();
  child.kill('SIGSTOP');
  const startedAt = Date.now();
  expect((await agent(['vm', 'clean', '--all'], {state})).code).toBe(0);
  expect(Date.now() - startedAt).toBeLessThan(40_000);
  child.kill('SIGCONT');
  expect((await ended)[0]).toBe(125);
  expect(await leftoversOf(state)).toEqual(nothing);
});
