/** What a command may take of its VM: the verdict names the bound that was hit, and the next command works. */
import {beforeAll, describe, expect, it} from 'vitest';
import {type AgentResult, agent} from '../support/agent.js';
import {leftoversOf, nothing, useState} from '../support/vm-state.js';

const state = useState();
const run = (...args: string[]): Promise<AgentResult> => agent(['vm', ...args], {state});
const exec = (command: string, ...more: string[]): Promise<AgentResult> =>
  run('exec', '--vm', 'small', '--cmd', command, ...more);

beforeAll(async () => {
  const made = await run(
    'create',
    '--language',
    'python',
    '--name',
    'small',
    '--disk',
    '64M',
    '--mem',
    '192',
  );
  expect(made.code).toBe(0);
});

describe('a command that', () => {
  it.each([
    ['takes all memory', 'python3 -c "l=[]\nwhile True: l.append(bytearray(16<<20))"', 137, 'memory'],
    [
      'forks without end',
      'python3 -c "import os,time\nwhile True:\n  if not os.fork(): time.sleep(30); os._exit(0)"',
      1,
      'processes',
    ],
    ['fills the disk', 'head -c 300M /dev/zero > /srv/full', 1, 'disk'],
    ['prints without end', 'head -c 50000000 /dev/zero', 0, 'output', '--max-output', '1M'],
    ['does not come to an end', 'trap "" TERM; while :; do :; done', 124, 'time', '--timeout', '2s'],
  ])('%s is told so, and the next one works', async (_, command, code, limit, ...more) => {
    const result = await exec(command, ...more.map(String));
    expect(result.events.at(-1)).toMatchObject({limit});
    expect(result.code).toBe(code);
    expect(await exec('echo works')).toMatchObject({code: 0, stdout: Buffer.from('works\n')});
  });

  it('finds a full disk can make room on it', async () => {
    expect(await exec('rm /srv/full && echo again > /srv/file && cat /srv/file')).toMatchObject({
      code: 0,
      stdout: Buffer.from('again\n'),
    });
  });

  it('leaves nothing once its VM is cleaned', async () => {
    expect((await run('clean', '--all')).code).toBe(0);
    expect(await leftoversOf(state)).toEqual(nothing);
  });
});
