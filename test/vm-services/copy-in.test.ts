import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {describe, expect, it} from 'vitest';
import {describeTree} from '../support/trees.js';
import {useCopies} from './copy-guest.js';

const {host, inside, cp} = useCopies();

const write = (path: string, content = path, mode = 0o644): void => {
  writeFileSync(path, content);
  chmodSync(path, mode);
};

const makeSource = (): void => {
  mkdirSync(join(host(), 'src/deep'), {recursive: true});
  write(join(host(), 'src/run'), 'run', 0o755);
  write(join(host(), 'src/deep/secret'), 'secret', 0o600);
  chmodSync(join(host(), 'src/deep'), 0o750);
  symlinkSync('run', join(host(), 'src/link'));
};

describe('copying into a guest', () => {
  it('keeps modes and links, and counts', async () => {
    makeSource();
    const {counts} = await cp(['src', 'vm:new']);
    expect(describeTree(join(inside(), 'new'))).toEqual(describeTree(join(host(), 'src')));
    expect(counts).toEqual([{files: 3, directories: 2, bytes: 9, skipped: 0}]);
  });

  it('puts a folder into one that is there, and into its own name where there is none', async () => {
    makeSource();
    mkdirSync(join(inside(), 'there'));
    await cp(['src', 'vm:there']);
    expect(readdirSync(join(inside(), 'there'))).toEqual(['src']);
    await cp(['src/', 'vm:other/']);
    expect(readdirSync(join(inside(), 'other')).sort()).toEqual(['deep', 'link', 'run']);
  });

  it('puts what a folder holds beside what is there', async () => {
    makeSource();
    mkdirSync(join(inside(), 'there/deep'), {recursive: true});
    write(join(inside(), 'there/deep/kept'));
    await cp(['src/.', 'vm:there']);
    expect(readdirSync(join(inside(), 'there')).sort()).toEqual(['deep', 'link', 'run']);
    expect(readdirSync(join(inside(), 'there/deep')).sort()).toEqual(['kept', 'secret']);
  });

  it('puts a file under a name, over a file, and into a folder', async () => {
    write(join(host(), 'f'), 'first');
    mkdirSync(join(inside(), 'there'));
    await cp(['f', 'vm:name']);
    await cp(['f', 'vm:there/']);
    write(join(host(), 'f'), 'second', 0o700);
    await cp(['f', 'vm:name']);
    expect(readFileSync(join(inside(), 'name'), 'utf8')).toBe('second');
    expect(statSync(join(inside(), 'name')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(inside(), 'there'))).toEqual(['f']);
  });

  it('follows a link that was named, and one of the guest’s to a folder', async () => {
    write(join(host(), 'f'), 'content');
    symlinkSync('f', join(host(), 'link'));
    mkdirSync(join(inside(), 'there'));
    symlinkSync('there', join(inside(), 'door'));
    await cp(['link', 'vm:door']);
    expect(readFileSync(join(inside(), 'there/link'), 'utf8')).toBe('content');
    expect(readlinkSync(join(inside(), 'door'))).toBe('there');
  });

  it('takes several sources into a folder', async () => {
    write(join(host(), 'a'));
    write(join(host(), 'b'));
    const {counts} = await cp(['a', 'b', 'vm:']);
    expect(readdirSync(inside()).sort()).toEqual(['a', 'b']);
    expect(counts).toHaveLength(2);
  });

  it('takes standard input as a file, byte for byte', async () => {
    const bytes = Buffer.from(Array.from({length: 300_000}, (_, at) => at & 0xff));
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('.copy-'));
    await cp(['-', 'vm:f'], {input: Readable.from([bytes.subarray(0, 7), bytes.subarray(7)])});
    expect(readFileSync(join(inside(), 'f')).equals(bytes)).toBe(true);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('.copy-'))).toEqual(before);
  });

  it('takes an empty standard input as an empty file', async () => {
    await cp(['-', 'vm:f']);
    expect(statSync(join(inside(), 'f')).size).toBe(0);
  });

  const cases: [string, readonly string[], string, RegExp][] = [
    ['a missing source', ['none', 'vm:x'], 'USAGE', /There is no file/],
    ['a missing folder above the target', ['f', 'vm:none/x'], 'GUEST_FAILED', /There is no folder '.*none'/],
    [
      'a folder that is not there, for a file',
      ['f', 'vm:none/'],
      'GUEST_FAILED',
      /There is no folder '.*none'/,
    ],
    ['a folder that is not there, for several', ['f', 'd', 'vm:none'], 'GUEST_FAILED', /There is no folder/],
    ['a file where a folder was named', ['f', 'vm:file/'], 'GUEST_FAILED', /is not a folder/],
    ['a file for several sources', ['f', 'd', 'vm:file'], 'GUEST_FAILED', /is not a folder/],
    ['a folder over a file', ['d', 'vm:file'], 'GUEST_FAILED', /not a folder, and '.*d' is one/],
    ['a folder over a file in a folder', ['d', 'vm:dir'], 'GUEST_FAILED', /not a folder, and '.*d' is one/],
    ['a file over a folder in a folder', ['f', 'vm:dir'], 'GUEST_FAILED', /is a folder, and '.*f' is none/],
    ['a path through a file', ['f', 'vm:file/x'], 'GUEST_FAILED', /There is no folder '.*file'/],
    ['standard input over a folder', ['-', 'vm:dir'], 'GUEST_FAILED', /is a folder/],
    ['two of one name', ['f', 'd/f', 'vm:'], 'USAGE', /would both be 'f'/],
  ];
  it.each(cases)('refuses %s', async (_, words, code, message) => {
    write(join(host(), 'f'));
    mkdirSync(join(host(), 'd'));
    write(join(host(), 'd/f'));
    write(join(inside(), 'file'), 'untouched');
    mkdirSync(join(inside(), 'dir/f'), {recursive: true});
    write(join(inside(), 'dir/d'), 'untouched');
    const before = describeTree(inside());
    await expect(cp(words)).rejects.toMatchObject({code, message: expect.stringMatching(message)});
    expect(describeTree(inside())).toEqual(before);
  });

  it('refuses more than its bounds, before it copies anything', async () => {
    write(join(host(), 'a'), 'x'.repeat(600));
    write(join(host(), 'b'), 'x'.repeat(600));
    const options = {limits: {maxBytes: 1000, maxEntries: 10}};
    const refusal = {code: 'USAGE', message: expect.stringContaining('most that is copied')};
    await expect(cp(['a', 'b', 'vm:'], options)).rejects.toMatchObject(refusal);
    const input = Readable.from([Buffer.alloc(1001)]);
    await expect(cp(['-', 'vm:f'], {...options, input})).rejects.toMatchObject(refusal);
    expect(readdirSync(inside())).toEqual([]);
    await cp(['a', 'vm:'], options);
    expect(readdirSync(inside())).toEqual(['a']);
  });

  it('ends when it is interrupted while it waits for standard input', async () => {
    const input = new Readable({read: () => {}});
    const interruption = new AbortController();
    const copying = cp(['-', 'vm:f'], {input, signal: interruption.signal});
    interruption.abort();
    await expect(copying).rejects.toMatchObject({code: 'INTERRUPTED'});
  });
});
