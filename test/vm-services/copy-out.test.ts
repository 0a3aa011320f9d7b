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
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {extract} from 'tar-stream';
import {describe, expect, it} from 'vitest';
import {describeTree} from '../support/trees.js';
import {useCopies} from './copy-guest.js';

const {host, inside, cp} = useCopies();

const write = (path: string, content = path, mode = 0o644): void => {
  writeFileSync(path, content);
  chmodSync(path, mode);
};

const makeTree = (): void => {
  mkdirSync(join(inside(), 'src/deep'), {recursive: true});
  write(join(inside(), 'src/run'), 'run', 0o755);
  write(join(inside(), 'src/deep/note'), 'note', 0o640);
  chmodSync(join(inside(), 'src/deep'), 0o750);
  chmodSync(join(inside(), 'src'), 0o711);
};

describe('copying out of a guest', () => {
  it('keeps modes, the folder’s own too, leaves links there, and counts', async () => {
    makeTree();
    const expected = describeTree(join(inside(), 'src'));
    symlinkSync('/etc/passwd', join(inside(), 'src/link'));
    const {counts} = await cp(['vm:src', 'new']);
    expect(describeTree(join(host(), 'new'))).toEqual(expected);
    expect(statSync(join(host(), 'new')).mode & 0o777).toBe(0o711);
    expect(counts).toEqual([{files: 2, directories: 1, bytes: 7, skipped: 1}]);
    expect(readdirSync(host())).toEqual(['new']);
  });

  it('puts a folder into one that is there, under its name', async () => {
    makeTree();
    mkdirSync(join(host(), 'there'));
    await cp(['vm:src', 'there']);
    expect(readdirSync(join(host(), 'there'))).toEqual(['src']);
    await cp(['vm:src', 'there']);
    expect(readdirSync(join(host(), 'there'))).toEqual(['src']);
    expect(readdirSync(join(host(), 'there/src')).sort()).toEqual(['deep', 'run']);
  });

  it('puts what a folder holds beside what is there', async () => {
    makeTree();
    mkdirSync(join(host(), 'there/deep'), {recursive: true});
    write(join(host(), 'there/deep/kept'));
    write(join(host(), 'there/run'), 'old');
    await cp(['vm:src/.', 'there']);
    expect(readdirSync(join(host(), 'there')).sort()).toEqual(['deep', 'run']);
    expect(readdirSync(join(host(), 'there/deep')).sort()).toEqual(['kept', 'note']);
    expect(readFileSync(join(host(), 'there/run'), 'utf8')).toBe('run');
  });

  it('puts a file under a name, over a file, and into a folder', async () => {
    write(join(inside(), 'f'), 'content', 0o751);
    mkdirSync(join(host(), 'there'));
    write(join(host(), 'old'), 'old');
    await cp(['vm:f', 'name']);
    await cp(['vm:f', 'old']);
    await cp(['vm:f', 'there/']);
    for (const path of ['name', 'old', 'there/f']) {
      expect(readFileSync(join(host(), path), 'utf8')).toBe('content');
      expect(statSync(join(host(), path)).mode & 0o777).toBe(0o751);
    }
    expect(readdirSync(host()).sort()).toEqual(['name', 'old', 'there']);
  });

  it('replaces a link of this machine, and never writes through it', async () => {
    makeTree();
    write(join(inside(), 'f'), 'from the guest');
    write(join(host(), 'victim'), 'victim');
    symlinkSync('victim', join(host(), 'f'));
    await cp(['vm:f', 'f']);
    expect(readFileSync(join(host(), 'f'), 'utf8')).toBe('from the guest');
    mkdirSync(join(host(), 'there'));
    symlinkSync('../victim', join(host(), 'there/run'));
    await cp(['vm:src/.', 'there']);
    expect(readFileSync(join(host(), 'victim'), 'utf8')).toBe('victim');
    expect(statSync(join(host(), 'there/run')).isFile()).toBe(true);
  });

  it('goes into no folder through a link below the one that was named', async () => {
    makeTree();
    for (const name of ['outside', 'there', 'other']) mkdirSync(join(host(), name));
    symlinkSync('../outside', join(host(), 'there/deep'));
    symlinkSync('../outside', join(host(), 'other/src'));
    symlinkSync('there', join(host(), 'door'));
    const clash = {code: 'USAGE', message: expect.stringContaining('is no folder')};
    await expect(cp(['vm:src/.', 'there'])).rejects.toMatchObject(clash);
    await expect(cp(['vm:src', 'other'])).rejects.toMatchObject(clash);
    expect(readdirSync(join(host(), 'outside'))).toEqual([]);
    expect(readdirSync(join(host(), 'there'))).toEqual(['deep']);
    await cp(['vm:src', 'door']);
    expect(readdirSync(join(host(), 'there')).sort()).toEqual(['deep', 'src']);
    expect(readlinkSync(join(host(), 'door'))).toBe('there');
  });

  it('gives the bytes of a file to standard output', async () => {
    const bytes = Buffer.from(Array.from({length: 300_000}, (_, at) => (at * 7) & 0xff));
    writeFileSync(join(inside(), 'f'), bytes);
    const {output, counts} = await cp(['vm:f', '-']);
    expect(output.equals(bytes)).toBe(true);
    expect(counts).toEqual([{files: 1, directories: 0, bytes: 300_000, skipped: 0}]);
  });

  it('gives a folder to standard output as a tar stream without links', async () => {
    makeTree();
    symlinkSync('/etc', join(inside(), 'src/link'));
    const {output, counts} = await cp(['vm:src', '-']);
    const seen: [string, number | undefined][] = [];
    for await (const entry of Readable.from([output]).pipe(extract())) {
      seen.push([entry.header.name, entry.header.mode]);
      entry.resume();
    }
    expect(seen.sort()).toEqual([
      ['src/', 0o711],
      ['src/deep/', 0o750],
      ['src/deep/note', 0o640],
      ['src/run', 0o755],
    ]);
    expect(counts).toEqual([{files: 2, directories: 1, bytes: 7, skipped: 1}]);
  });

  const cases: [string, readonly string[], string, RegExp][] = [
    ['what is not there', ['vm:none', 'x'], 'GUEST_FAILED', /There is no '.*none' in the guest/],
    ['a path through a file', ['vm:f/x', 'x'], 'GUEST_FAILED', /not a directory/],
    ['a file that was named as a folder', ['vm:f/', 'x'], 'GUEST_FAILED', /is not a folder/],
    ['a missing folder above the target', ['vm:f', 'none/x'], 'USAGE', /no such file or directory/],
    ['a folder that is not there, for a file', ['vm:f', 'none/'], 'USAGE', /There is no folder/],
    ['a target that is no folder, for several', ['vm:f', 'vm:d', 'file'], 'USAGE', /is not a folder/],
    ['a file that was named as a folder here', ['vm:f', 'file/'], 'USAGE', /There is no folder/],
    ['a folder over a file', ['vm:d', 'file'], 'USAGE', /is no folder/],
    ['a file over a folder', ['vm:f', 'dir'], 'USAGE', /is a folder/],
    ['a pipe', ['vm:/../../../../../../../dev/null', 'x'], 'GUEST_FAILED', /not a regular file/],
    ['several to standard output', ['vm:f', 'vm:d', '-'], 'USAGE', /Only one source/],
  ];
  it.each(cases)('refuses %s', async (_, words, code, message) => {
    write(join(inside(), 'f'), 'new');
    mkdirSync(join(inside(), 'd'));
    write(join(host(), 'file'), 'untouched');
    mkdirSync(join(host(), 'dir/f'), {recursive: true});
    const before = describeTree(host());
    await expect(cp(words)).rejects.toMatchObject({code, message: expect.stringMatching(message)});
    expect(describeTree(host())).toEqual(before);
  });

  it('refuses to fill a terminal with an archive', async () => {
    makeTree();
    write(join(inside(), 'f'), 'text');
    await expect(cp(['vm:src', '-'], {isTerminal: true})).rejects.toMatchObject({code: 'USAGE'});
    expect((await cp(['vm:f', '-'], {isTerminal: true})).output.toString()).toBe('text');
  });

  it('leaves nothing where it is more than its bounds, or interrupted', async () => {
    makeTree();
    write(join(inside(), 'f'), 'x'.repeat(101));
    mkdirSync(join(host(), 'there'));
    const small = {limits: {maxBytes: 100, maxEntries: 2}};
    await expect(cp(['vm:f', 'x'], small)).rejects.toMatchObject({code: 'GUEST_FAILED'});
    await expect(cp(['vm:src', 'x'], small)).rejects.toMatchObject({code: 'GUEST_FAILED'});
    await expect(cp(['vm:src', 'there'], {signal: AbortSignal.abort()})).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    expect(describeTree(host())).toEqual({there: '0755'});
  });
});
