import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {guestStderr} from '../support/guest-stderr.js';
import {describeTree} from '../support/trees.js';
import {useBench, verdictOf} from './bench.js';
import {launchers} from './launchers.js';
import {useSmallImage} from './small-images.js';

const images = await useSmallImage();
const folder = mkdtempSync(join(tmpdir(), 'agent-files-'));
afterAll(() => rmSync(folder, {recursive: true}));

const modes = [0o600, 0o644, 0o755, 0o400, 0o640];
const names = ['-rf', '--', ' two  spaces ', 'new\nline', 'grün 日本 😀', '$(touch x)', '*', '\u001b[31mred'];

/** 1,000 files in 20 folders, none like the other, each mode among them; links; and names of all kinds. */
const makeTree = (top: string): void => {
  for (let n = 0; n < 1_000; n += 1) {
    const parent = join(top, `folder ${n % 20}`);
    mkdirSync(parent, {recursive: true});
    const path = join(parent, `file-${n}`);
    writeFileSync(path, `${n}\n`.repeat((n * 7) % 50));
    chmodSync(path, modes[n % modes.length] ?? 0o644);
  }
  for (const name of [...names, 'x'.repeat(255), 'ü'.repeat(127)]) writeFileSync(join(top, name), name);
  for (const name of readdirSync(top)) chmodSync(join(top, name), 0o755);
  symlinkSync('/etc/passwd', join(top, 'link'));
};

describe.each(launchers)('with $name', (launcher) => {
  const {vm, create, image, state} = useBench(launcher, images);
  const own = join(folder, launcher.name);
  const tree = join(own, 'tree');
  let id = '';
  const outOf = (name: string): string => join(state.path, 'vms', id, 'out', name);

  beforeAll(async () => {
    makeTree(tree);
    id = await create();
  });

  it('files and folders go in and come back unchanged, names and modes included', async () => {
    const command = 'test "$(readlink /in/tree/link)" = /etc/passwd && cp -a /in/tree /out';
    const result = await vm(['run', '--vm', id, '--file', tree, '--cmd', command, '--timeout', '2m']);
    expect(result.code).toBe(0);
    // A link goes in as a link; none comes out.
    const {link, ...rest} = describeTree(tree);
    expect(link).toBe('-> /etc/passwd');
    expect(describeTree(outOf('tree'))).toEqual(rest);
    expect(verdictOf(result).out).toMatchObject({files: 1_010, directories: 21, skipped: 1});
  });

  it('/workspace leads to /in, /out and /persist', async () => {
    const file = join(own, 'given');
    writeFileSync(file, 'given');
    const command = 'cd /workspace; readlink in out persist; cat in/given; cat in/given > out/taken';
    const result = await vm(['exec', '--vm', id, '--file', file, '--cmd', command]);
    expect(result.stdout.toString()).toBe('/in\n/out\n/persist\ngiven');
    expect(readFileSync(outOf('taken'), 'utf8')).toBe('given');
  });

  it('/out brings its files, and leaves links, devices and the like where they are', async () => {
    const secret = join(own, 'secret');
    writeFileSync(secret, 'of the host');
    const out = join(own, 'hostile');
    const command = [
      'cd /out && echo honest > honest && mkdir -p a/b && echo deep > a/b/deep',
      `ln -s ${secret} stdout.log && ln -s /etc/passwd passwd && ln -s ../../../../.. up && ln -s . self`,
      // Not every guest may make devices.
      'ln honest hard && mkfifo fifo && { mknod zero c 1 5 && mknod disk b 254 0 || : ; } 2>/dev/null',
      'mkdir "..." && echo dots > "...x" && printf x > "..\\\\up" && chmod 4755 honest && chmod 0 a/b/deep',
    ].join(' && ');
    const result = await vm(['temp', ...image(), '--cmd', command, '--out', out]);
    expect([result.code, guestStderr(result)]).toEqual([0, '']);
    const brought = describeTree(out);
    const expected = ['...', '...x', '..\\up', 'a', 'a/b', 'a/b/deep', 'hard', 'honest'];
    expect(Object.keys(brought).sort()).toEqual(expected.sort());
    expect(brought.honest).toMatch(/^0755 /);
    expect(readFileSync(join(out, 'hard'), 'utf8')).toBe('honest\n');
    expect(verdictOf(result).out).toMatchObject({files: 5, skipped: 4});
    expect(readFileSync(secret, 'utf8')).toBe('of the host');
  });

  it('what a run has left cannot turn a later one against the host', async () => {
    const target = join(own, 'target');
    writeFileSync(target, 'untouched');
    const file = join(own, 'given');
    writeFileSync(file, 'given');
    const plant = `rm -rf /out /in/given; ln -s ${own} /out; ln -s ${target} /in/given; ln -s ${target} /in/main.py`;
    await vm(['run', '--vm', id, '--cmd', plant]);
    const again = await vm([
      'run',
      '--vm',
      id,
      '--file',
      file,
      '--cmd',
      'cat /in/given; rm /out; mkdir /out',
    ]);
    expect(again.code).toBe(0);
    expect(readFileSync(String(verdictOf(again).stdout), 'utf8')).toBe('given');
    expect(readFileSync(target, 'utf8')).toBe('untouched');
  });

  it('/out is refused whole where it is more than the limits, and what the command said stays', async () => {
    const run = await vm(['run', '--vm', id, '--cmd', 'echo ran; truncate -s 10G /out/sparse']);
    const line = verdictOf(run);
    expect(run.code).toBe(125);
    expect(line).toMatchObject({message: 'vm run failed', code: 'GUEST_FAILED', origin: 'agent'});
    expect(JSON.stringify(line.details)).toContain('bytes');
    expect(readFileSync(String(line.stdout), 'utf8')).toBe('ran\n');
  });
});
