import {randomBytes} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {beforeAll, describe, expect, it} from 'vitest';
import {jsonLines} from '../support/agent.js';
import {guestStderr} from '../support/guest-stderr.js';
import {until} from '../support/until.js';
import {useBench, verdictOf} from './bench.js';
import {launchers} from './launchers.js';
import {useSmallImage} from './small-images.js';

const MIB = 1024 ** 2;
const images = await useSmallImage();

describe.each(launchers)('with $name', (launcher) => {
  const {vm, begin, create} = useBench(launcher, images);
  let id = '';
  beforeAll(async () => {
    id = await create();
  });

  it('the output streams come apart, each in its order and to its last byte', async () => {
    const command =
      'n=0; while [ $n -lt 500 ]; do n=$((n+1)); echo "out $n"; echo "err $n" >&2; done; printf end; printf last >&2';
    const result = await vm(['exec', '--vm', id, '--cmd', command]);
    const numbers = Array.from({length: 500}, (_, at) => at + 1);
    expect(result.code).toBe(0);
    expect(result.stdout.toString()).toBe(`${numbers.map((n) => `out ${n}\n`).join('')}end`);
    // The log line begins a line of its own.
    expect(guestStderr(result)).toBe(`${numbers.map((n) => `err ${n}\n`).join('')}last\n`);
    const files = verdictOf(result) as {stdout: string; stderr: string};
    expect(readFileSync(files.stdout).equals(result.stdout)).toBe(true);
    expect(readFileSync(files.stderr, 'utf8')).toMatch(/err 500\nlast$/);
  });

  it('output comes while the command runs, and input goes to it', async () => {
    const {child, ended, said} = begin(
      ['exec', '--vm', id, '--cmd', 'echo question; read -r answer; echo "it is $answer"'],
      {stdin: 'open'},
    );
    await until('the command has asked', () => said() === 'question\n');
    child.stdin?.write('the answer\nand more, without an end\n');
    expect(await ended).toMatchObject({code: 0, stdout: 'question\nit is the answer\n'});
  });

  it('10 MiB of input come back as output, every byte, to their end', async () => {
    const input = randomBytes(10 * MIB);
    const args = ['exec', '--vm', id, '--cmd', 'cat; echo end >&2', '--timeout', '120'];
    const result = await vm(args, {input});
    expect(result.stdout.equals(input)).toBe(true);
    expect([result.code, guestStderr(result)]).toEqual([0, 'end\n']);
    expect(readFileSync(String(verdictOf(result).stdout)).equals(input)).toBe(true);
  });

  it('--json has what is text as text, and what is not in base64', async () => {
    const command = String.raw`printf 'gr\303\274n'; printf '\0\377\n' >&2`;
    const {stdout} = await vm(['exec', '--vm', id, '--json', '--cmd', command]);
    const [line] = jsonLines(stdout.toString());
    expect(line).toMatchObject({exit_code: 0, stdout_text: 'grün', stderr_base64: 'AP8K'});
  });
});
