/** More output than anybody wants, and readers that do not read it. */
import {spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {executable, jsonLines, startAgent} from '../support/agent.js';
import {guestStderr} from '../support/guest-stderr.js';
import {useBench} from './bench.js';
import {launchers} from './launchers.js';
import {useSmallImage} from './small-images.js';

const MIB = 1024 ** 2;
const images = await useSmallImage();

/** What `seq LAST` says, LAST having eight digits or less: unlike itself everywhere. */
const hashOfNumbers = (last: number): {readonly bytes: number; readonly hash: string} => {
  const hash = createHash('sha256');
  let bytes = 0;
  for (let first = 1; first <= last; first += 100_000) {
    const count = Math.min(100_000, last - first + 1);
    const text = `${Array.from({length: count}, (_, at) => first + at).join('\n')}\n`;
    hash.update(text);
    bytes += text.length;
  }
  return {bytes, hash: hash.digest('hex')};
};

describe.each(launchers)('with $name', (launcher) => {
  const {state, image, cleanAll, isIdle} = useBench(launcher, images);

  /** Reads the output as it comes, keeps none of it, and watches how much memory the command line takes. */
  const watch = async (args: readonly string[]) => {
    const child = startAgent(['vm', 'temp', ...image(), ...args], {state, timeoutMs: 170_000});
    const hash = createHash('sha256');
    let [bytes, peakMib, stderr] = [0, 0, ''];
    child.stdin?.end();
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      peakMib = Math.max(peakMib, peakOf(child.pid));
    });
    child.stdout?.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      bytes += chunk.length;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    return {code, bytes, hash: hash.digest('hex'), verdict: jsonLines(stderr)[1], peakMib};
  };

  it('a flood of 100 MiB arrives byte for byte, in bounded memory', async () => {
    const last = 13_000_000;
    const {peakMib, ...result} = await watch(['--cmd', `seq ${last}`, '--timeout', '120']);
    expect(hashOfNumbers(last).bytes).toBeGreaterThan(100 * MIB);
    expect(result).toMatchObject({code: 0, ...hashOfNumbers(last), verdict: {truncated: false}});
    expect(peakMib).toBeGreaterThan(20);
    expect(peakMib).toBeLessThan(400);
  });

  it('one of 512 MiB is cut at the limit, which the log line says', async () => {
    const command = 'dd if=/dev/zero bs=64k count=8192 status=none';
    const result = await watch(['--cmd', command, '--max-output', '20M', '--timeout', '150']);
    expect(result).toMatchObject({code: 0, bytes: 20 * MIB});
    expect(result.verdict).toMatchObject({truncated: true, limit: 'output', exit_code: 0});
    expect(result.peakMib).toBeLessThan(400);
  });

  it('a reader that has seen enough ends everything quietly', async () => {
    const line = 'set -o pipefail; "$0" "$@" | head -n 1; echo "$?"';
    const args = [process.execPath, executable, 'vm', 'temp', ...image(), '--cmd', 'yes'];
    const shell = spawn('bash', ['-c', line, ...args], {
      env: {...process.env, ...state.env, AGENT_STATE_DIR: state.path},
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    shell.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    shell.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    await once(shell, 'close');
    expect(stdout).toBe('y\n141\n');
    const events = jsonLines(stderr).map(({message}) => message);
    expect(events).toEqual(['temporary vm created', 'temporary vm cleaned up']);
    expect(guestStderr({stderr})).toBe('');
    await cleanAll();
  });

  it('a reader that never reads does not keep the timeout from ending the command', async () => {
    const child = startAgent(['vm', 'temp', ...image(), '--cmd', 'yes', '--timeout', '2'], {state});
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code).toBe(124);
    expect(jsonLines(stderr)[1]).toMatchObject({timed_out: true, exit_code: 124});
    expect(isIdle()).toBe(true);
    child.stdout?.destroy();
  });
});

const peakOf = (pid: number | undefined): number => {
  try {
    const [, kib = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kib) / 1024;
  } catch {
    return 0; // it has ended
  }
};
