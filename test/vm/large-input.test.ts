import {describe, expect, it} from 'vitest';
import {type AgentOptions, type AgentResult, agent} from '../support/agent.js';
import {guestStderr} from '../support/guest-stderr.js';
import {leftoversOf, nothing, useState} from '../support/vm-state.js';

const state = useState();

const temp = (args: readonly string[], options: Partial<AgentOptions> = {}): Promise<AgentResult> =>
  agent(['vm', 'temp', '--language', 'python', ...args], {state, timeoutMs: 170_000, ...options});

describe('a command line', () => {
  it('takes 10 MiB of source from standard input', async () => {
    const text = `${'0123456789'.repeat(10)}\n`.repeat((10 * 1024 ** 2) / 101);
    const source = `text = """${text}"""\nprint(len(text), text[-11:], end='')\n`;
    const result = await temp(['-', '--timeout', '120'], {input: source});
    expect(guestStderr(result)).toBe('');
    expect(result.stdout.toString()).toBe(`${text.length} 0123456789\n`);
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
