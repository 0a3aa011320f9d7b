// @ts-check
import {performance} from 'node:perf_hooks';

const SHELL_TRUE = ['/bin/sh', '-c', 'true'];
const PING_DEADLINE_MS = 60_000;

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
    const exec = await timed(() => runTrue(guest));
    const {elapsedMs: inGuest} = exec.result;
    if (inGuest === null) throw new Error('the guest did not say how long true took');
    runs.push({ping: ping.ms, exec: exec.ms, inGuest, over: exec.ms - ping.ms - inGuest});
  }
  return runs;
};

/** @param {Guest} guest */
const runTrue = async (guest) => {
  const session = guest.exec({argv: SHELL_TRUE, env: [], cwd: '/', user: ''});
  session.stdin.end();
  session.stdout.resume();
  session.stderr.resume();
  const status = await session.exit;
  if (status.code !== 0) throw new Error(`true ended with ${status.code}: ${status.reason}`);
  return status;
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
