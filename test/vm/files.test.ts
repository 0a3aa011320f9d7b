import {existsSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {type AgentResult, agent} from '../support/agent.js';
import {guestStderr} from '../support/guest-stderr.js';
import {leftoversOf, nothing, useState} from '../support/vm-state.js';

const state = useState();
const folder = mkdtempSync(join(tmpdir(), 'agent-files-'));
afterAll(() => rmSync(folder, {recursive: true}));

const temp = (...args: readonly string[]): Promise<AgentResult> =>
  agent(['vm', 'temp', '--language', 'python', ...args], {state, timeoutMs: 170_000});

describe('files', () => {
  it('are where the program can import those beside it', async () => {
    const helper = join(folder, 'helper.py');
    writeFileSync(helper, 'word = "imported"\n');
    const result = await temp('--file', helper, '--code', 'import helper\nprint(helper.word)');
    expect([result.stdout.toString(), guestStderr(result)]).toEqual(['imported\n', '']);
  });

  it('of which one cannot be copied are refused before there is a VM', async () => {
    const refused = await Promise.all([
      temp('--cmd', 'true', '--file', join(folder, 'missing')),
      temp('--file', folder),
      temp('--cmd', 'true', '--file', '/dev/null'),
    ]);
    expect(refused.map(({code}) => code)).toEqual([2, 2, 2]);
    expect(refused.map(({events}) => events.length)).toEqual([1, 1, 1]);
    expect(refused[0]?.events[0]?.message).toBe(`There is no file '${join(folder, 'missing')}'.`);
    expect(refused[1]?.events[0]?.message).toContain('is a folder');
    expect(await leftoversOf(state)).toEqual(nothing);
  });

  it('are refused whole where /out holds too many', async () => {
    const out = join(folder, 'too-many');
    const command = 'mount -t tmpfs -o nr_inodes=200k none /out; cd /out; seq 100001 | xargs touch; echo ran';
    const result = await temp('--cmd', command, '--out', out, '--mem', '1G', '--timeout', '2m');
    expect(result.stdout.toString()).toBe('ran\n');
    expect(result.code).toBe(125);
    expect(result.events[1]).toMatchObject({code: 'GUEST_FAILED', origin: 'agent'});
    expect(JSON.stringify(result.events[1]?.details)).toContain('entries');
    expect(existsSync(out)).toBe(false);
  });
});
