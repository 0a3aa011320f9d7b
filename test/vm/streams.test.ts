import {spawn} from 'node:child_process';
import {createHash, randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import {type AgentOptions, type AgentResult, agent, jsonLines, startAgent} from '../support/agent.js';
import {guestStderr} from '../support/guest-stderr.js';
import {leftoversOf, nothing, processesOf, useState} from '../support/vm-state.js';

const state = useState();
const MIB = 1024 ** 2;

const temp = (args: readonly string[], options: Partial<AgentOptions> = {}): Promise<AgentResult> =>
  agent(['vm', 'temp', '--language', 'python', ...args], {state, timeoutMs: 170_000, ...options});

/** The log line with the verdict. */
const verdict = ({events}: Pick<AgentResult, 'events'>): Record<string, unknown> => events[1] ?? {};

/** Says what a guest's program below writes: blocks of a MiB, each one unlike the others. */
const hashOfBlocks = (count: number): string => {
  const hash = createHash('sha256');
  const filler = Buffer.from(Array.from({length: MIB - 8}, (_, at) => at % 251));
  for (let n = 0; n < count; n += 1) hash.update(String(n).padStart(8)).update(filler);
  return hash.digest('hex');
};

const writeBlocks = (count: number): string => `
import sys
filler = bytes(range(251)) * 5000
for n in range(${count}):
    sys.stdout.buffer.write(b'%8d' % n)
    sys.stdout.buffer.write(filler[:1024 * 1024 - 8])
`;

interface Watched {
  readonly code: number | null;
  readonly bytes: number;
  readonly hash: string;
  readonly events: readonly Record<string, unknown>[];
  readonly peakMib: number;
}

/** Reads the output as it comes, keeps none of it, and watches how much memory the command line takes. */
const watch = async (args: readonly string[]): Promise<Watched> => {
  const child = startAgent(['vm', 'temp', '--language', 'python', ...args], {state, timeoutMs: 170_000});
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
  return {code, bytes, hash: hash.digest('hex'), events: jsonLines(stderr), peakMib};
};

const peakOf = (pid: number | undefined): number => {
  try {
    const [, kib = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kib) / 1024;
  } catch {
    return 0; // it has ended
  }
};

describe('a flood of output', () => {
  it('of 100 MiB arrives byte for byte, in bounded memory', async () => {
    const result = await watch(['--code', writeBlocks(100), '--timeout', '120']);
    expect(result.bytes).toBe(100 * MIB);
    expect(result.hash).toBe(hashOfBlocks(100));
    expect(result.code).toBe(0);
    expect(verdict(result)).toMatchObject({truncated: false});
    expect(result.peakMib).toBeGreaterThan(20);
    expect(result.peakMib).toBeLessThan(400);
  });

  it('of 1 GiB is cut at the limit, which the log line says', async () => {
    const command = 'dd if=/dev/zero bs=64k count=16384 status=none';
    const result = await watch(['--cmd', command, '--max-output', '20M', '--timeout', '150']);
    expect(result.bytes).toBe(20 * MIB);
    expect(result.code).toBe(0);
    expect(verdict(result)).toMatchObject({truncated: true, limit: 'output', exit_code: 0});
    expect(result.peakMib).toBeLessThan(400);
  });
});

describe('a reader of the output', () => {
  it('that has seen enough ends everything quietly', async () => {
    const executable = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
    const line = 'set -o pipefail; "$0" "$1" vm temp --language python --cmd yes | head -n 1; echo "$?"';
    const shell = spawn('bash', ['-c', line, process.execPath, executable], {
      env: {...process.env, AGENT_STATE_DIR: state.path},
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
    expect(jsonLines(stderr).map(({message}) => message)).toEqual([
      'temporary vm created',
      'temporary vm cleaned up',
    ]);
    expect(guestStderr({stderr})).toBe('');
    expect(await leftoversOf(state)).toEqual(nothing);
  });

  it('that never reads does not keep the timeout from ending the command', async () => {
    const child = startAgent(['vm', 'temp', '--language', 'python', '--cmd', 'yes', '--timeout', '2'], {
      state,
    });
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code).toBe(124);
    expect(jsonLines(stderr)[1]).toMatchObject({timed_out: true, exit_code: 124});
    expect(processesOf(state)).toEqual([]);
    child.stdout?.destroy();
  });
});

describe('standard input', () => {
  it('goes through a command and back, every byte of 10 MiB, to its end', async () => {
    const input = randomBytes(10 * MIB);
    const result = await temp(['--cmd', 'cat; echo end >&2', '--timeout', '120'], {input});
    expect(result.stdout.equals(input)).toBe(true);
    expect(guestStderr(result)).toBe('end\n');
    expect(result.code).toBe(0);
  });

  it('does so for a VM that stays, too', async () => {
    const {stdout} = await agent(['vm', 'create', '--language', 'python'], {state});
    const {id} = JSON.parse(stdout.toString()) as {id: string};
    const input = randomBytes(10 * MIB);
    const result = await agent(['vm', 'exec', '--vm', id, '--cmd', 'cat', '--timeout', '120'], {
      state,
      input,
    });
    const {stdout: path} = result.events.at(-1) as {stdout: string};
    expect(result.stdout.equals(input)).toBe(true);
    expect(readFileSync(path).equals(input)).toBe(true);
    await agent(['vm', 'clean', '--vm', id], {state});
  });

  it('that never ends does not keep a command from ending', async () => {
    const child = startAgent(['vm', 'temp', '--language', 'python', '--cmd', 'head -n 1'], {state});
    let stdout = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr?.resume();
    child.stdin?.write('one line\nanother line\n');
    const [code] = (await once(child, 'close')) as [number | null];
    expect([code, stdout]).toEqual([0, 'one line\n']);
  });

  it('may be 10 MiB of source', async () => {
    const text = `${'0123456789'.repeat(10)}\n`.repeat((10 * MIB) / 101);
    const source = `text = """${text}"""\nprint(len(text), text[-11:], end='')\n`;
    const result = await temp(['-', '--timeout', '120'], {input: source});
    expect(guestStderr(result)).toBe('');
    expect(result.stdout.toString()).toBe(`${text.length} 0123456789\n`);
  });
});

describe('a command line', () => {
  it('of 120 KB is run', async () => {
    const words = 'word '.repeat(24_000);
    const result = await temp(['--cmd', `printf '%s' '${words}' | wc -c`]);
    expect(result.stdout.toString().trim()).toBe('120000');
  });

  it('with an environment that no guest takes is refused before there is a VM', async () => {
    const names = Array.from({length: 12}, (_, n) => ['--env', `LARGE_${n}=${'x'.repeat(100_000)}`]).flat();
    const result = await temp(['--hello', ...names]);
    expect(result.code).toBe(2);
    expect(result.events).toMatchObject([{level: 'error', code: 'USAGE'}]);
    expect(result.events[0]?.hint).toContain('--file');
    expect(await leftoversOf(state)).toEqual(nothing);
  });
});

it('keeps text and binary output apart from each other in --json', async () => {
  const code = 'import os\nos.write(1, "grün\\n".encode())\nos.write(2, bytes([0, 255, 10]))';
  const result = await temp(['--json', '--code', code]);
  const [line] = jsonLines(result.stdout.toString());
  expect(line).toMatchObject({exit_code: 0, stdout_text: 'grün\n', stderr_base64: 'AP8K'});
});

it('starts its log line on a line of its own, whatever the guest wrote before', async () => {
  const result = await temp(['--cmd', 'printf "no end of line" >&2; printf "nor here"']);
  expect(result.stdout.toString()).toBe('nor here');
  expect(guestStderr(result)).toBe('no end of line\n');
  expect(verdict(result)).toMatchObject({exit_code: 0});
});
