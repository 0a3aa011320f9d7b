// @ts-check
import {performance} from 'node:perf_hooks';

const SHELL_TRUE = ['/bin/sh', '-c', 'true'];
const PING_DEADLINE_MS = 60_000;
const EXEC_DEADLINE_MS = 60_000;
const SIGKILL = 9;

/** @typedef {import('../../src/guest/guest.js').Guest} Guest */

/**
 * What `--cmd true` sends, through one open client, one after the other, each after a bare question to the guest.
 * `inGuest` is from fork to exit, as the guest has measured it; `over` is what is left of the time of the command.
 * @param {Guest} guest
 * @param {number} count
 */
export const measureExecs = async (guest, count) => {
  const runs = [];
  for (let n = 0; n < count; n += 1) {
    const ping = await timed(() => guest.ping(PING_DEADLINE_MS));
    const exec = await timed(() => runIn(guest, SHELL_TRUE));
    const {elapsedMs: inGuest} = exec.result;
    if (inGuest === null) throw new Error('the guest did not say how long true took');
    runs.push({ping: ping.ms, exec: exec.ms, inGuest, over: exec.ms - ping.ms - inGuest});
  }
  return runs;
};

/**
 * Milliseconds that one command takes through an open client, which has to print `output`.
 * @param {Guest} guest
 * @param {{command: string, output: string}} work
 */
export const measureWork = async (guest, {command, output}) => {
  const {result, ms} = await timed(() => runIn(guest, ['/bin/sh', '-c', command]));
  if (result.said !== output) throw new Error(`${command} printed ${JSON.stringify(result.said)}`);
  return ms;
};

/** @param {Guest} guest @param {readonly string[]} argv */
const runIn = async (guest, argv) => {
  const session = guest.exec({argv, env: [], cwd: '/', user: ''});
  session.stdin.end();
  let said = '';
  session.stdout.on('data', (chunk) => {
    said += chunk;
  });
  session.stderr.resume();
  const timer = setTimeout(() => session.kill(SIGKILL, 'everything'), EXEC_DEADLINE_MS);
  const status = await session.exit;
  clearTimeout(timer);
  if (status.code !== 0) throw new Error(`${argv.join(' ')} ended with ${status.code}: ${status.reason}`);
  return {...status, said};
};

/**
 * @template T
 * @param {() => Promise<T>} work
 */
const timed = async (work) => {
  const startedAt = performance.now();
  const result = await work();
  return {result, ms: performance.now() - startedAt};
};
