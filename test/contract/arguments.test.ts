/** Nothing that a user gives to a command is changed on its way: not its text, not its arguments, not its variables. */
import {beforeAll, describe, expect, it} from 'vitest';
import {guestStderr} from '../support/guest-stderr.js';
import {useBench} from './bench.js';
import {launchers} from './launchers.js';
import {useSmallImage} from './small-images.js';

const images = await useSmallImage();

/** What kernel command lines, shells and parsers of flags are known to change. */
const nasty = [
  '',
  ' ',
  '  two  spaces  ',
  'say "hi there" now',
  "it's",
  '--',
  '-n',
  '--env=x',
  'a=b',
  '$HOME `id` $(id)',
  'back\\slash \\n',
  '*',
  '%s%n',
  'line\nline\n',
  '\ttab',
  'grün 日本 😀',
  '\u0001\u001b[31m\u007f',
  '# no comment',
  '; exit 3',
  'x'.repeat(5_000),
];

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

describe.each(launchers)('with $name', (launcher) => {
  const {vm, create} = useBench(launcher, images);
  let id = '';
  beforeAll(async () => {
    process.env.INHERITED = 'from the test';
    id = await create('--env', 'OF_VM=vm', '--env', 'OF_BOTH=vm', '--env', 'INHERITED');
    delete process.env.INHERITED;
  });

  /** Standard output; anything on standard error is a failure. */
  const said = async (args: readonly string[]): Promise<string> => {
    const result = await vm(['exec', '--vm', id, ...args]);
    expect([result.code, guestStderr(result)]).toEqual([0, '']);
    return result.stdout.toString();
  };

  it('a command’s words arrive as they were', async () => {
    const stdout = await said(['--cmd', `printf '%s\\0' ${nasty.map(quote).join(' ')}`]);
    expect(stdout.split('\0')).toEqual([...nasty, '']);
  });

  it('a command of several lines and 100 KB is run', async () => {
    const words = 'word '.repeat(20_000);
    const text = `\n# first\necho 1\n\necho 2 \\\n  3\nprintf '%s' '${words}' | wc -c`;
    expect(await said(['--cmd', text])).toBe(`1\n2 3\n${words.length}\n`);
  });

  it('variables are those of the image, the VM and the command, whatever is in them, and no others', async () => {
    const own = nasty.map((value, at) => `NASTY_${at}=${value}`);
    const many = Array.from({length: 200}, (_, at) => `MANY_${at}=${at}`);
    const known = [
      'mem=1M',
      'debug=',
      'init=/bin/false',
      'a.b=c',
      'KRUN_INIT=x',
      'HOSTNAME=own',
      'OF_BOTH=own',
    ];
    const flags = [...own, ...many, ...known].flatMap((entry) => ['--env', entry]);
    // The shell's own, as it was started: it does not pass on names that are none of its own.
    const stdout = await said([...flags, '--env', 'NOT_SET', '--cmd', 'cat /proc/$$/environ; :']);
    const ofVm = ['PATH=/bin', 'HOME=/root', 'OF_VM=vm', 'INHERITED=from the test'];
    expect(stdout.split('\0').sort()).toEqual([...own, ...many, ...known, ...ofVm, ''].sort());
  });
});
