import {execFileSync} from 'node:child_process';
import {chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import {pack} from 'tar-stream';
import {describe, expect, it} from 'vitest';
import {unpackTo} from '../../src/guest/tar-unpack.js';
import {archive, entry, failure, limits, tempFolder, unpack} from './archives.js';
import {createRandom} from './random.js';

describe('an honest archive', () => {
  it('arrives with content, modes and times', async () => {
    const {unpacked, names, root} = await unpack(
      archive(
        {name: './', type: '5', mode: 0o755},
        {name: './bin/', type: '5', mode: 0o750},
        {name: './bin/run', content: 'echo', mode: 0o755, mtime: 1_000_000_000},
        {name: 'empty'},
        {name: 'deep/er/file', content: 'x'},
        {name: 'new\nline', content: 'y'},
      ),
    );
    expect(unpacked).toEqual({files: 4, directories: 3, bytes: 6, skipped: 0});
    expect(names).toEqual(['bin', 'bin/run', 'deep', 'deep/er', 'deep/er/file', 'empty', 'new\nline']);
    const run = await stat(join(root, 'out/bin/run'));
    expect([run.mode & 0o7777, run.mtimeMs]).toEqual([0o755, 1e12]);
    expect((await stat(join(root, 'out/bin'))).mode & 0o7777).toBe(0o750);
    expect((await stat(join(root, 'out'))).mode & 0o7777).toBe(0o700);
  });

  it('may be empty, and replaces what was there', async () => {
    const root = await tempFolder();
    await unpackTo(join(root, 'a/out'), archive({name: 'first', content: '1'}), limits);
    await unpackTo(join(root, 'a/out'), archive(), limits);
    expect(await readdir(join(root, 'a'), {recursive: true})).toEqual(['out']);
  });

  it('of GNU tar is read, in both of its formats', async () => {
    const source = await tempFolder();
    const long = 'n'.repeat(150);
    await mkdir(join(source, long, 'sub'), {recursive: true});
    await writeFile(join(source, long, 'sub', 'ünïcode'), 'content');
    await symlink('/etc/passwd', join(source, 'link'));
    const bytes = execFileSync('tar', ['--format=pax', '-C', source, '-cf', '-', '.']);
    const {unpacked, names} = await unpack(Readable.from([bytes], {objectMode: false}));
    expect(unpacked).toEqual({files: 1, directories: 2, bytes: 7, skipped: 1});
    expect(names).toEqual([long, `${long}/sub`, `${long}/sub/ünïcode`]);
    await rm(join(source, long), {recursive: true});
    await writeFile(join(source, 'short'), 'x');
    const gnu = execFileSync('tar', ['--format=gnu', '-C', source, '-cf', '-', '.']);
    expect((await unpack(Readable.from([gnu], {objectMode: false}))).names).toEqual(['short']);
  });

  it('of tar-stream is read, in chunks of any size', async () => {
    const made = pack();
    const random = createRandom(2);
    for (let file = 0; file < 100; file += 1) {
      made.entry({name: `${'d/'.repeat(file % 70)}file-${file}`}, random.bytes(file * 37));
    }
    made.finalize();
    const whole = await buffer(made);
    const chunks: Buffer[] = [];
    for (let at = 0; at < whole.length; ) {
      const size = 1 + random.number(random.pick([3, 700, 5000]));
      chunks.push(whole.subarray(at, at + size));
      at += size;
    }
    const {unpacked} = await unpack(Readable.from(chunks, {objectMode: false}));
    expect(unpacked).toMatchObject({files: 100, bytes: (99 * 100 * 37) / 2, skipped: 0});
  });
});

describe('a transfer that fails', () => {
  it('leaves nothing behind when its stream breaks', async () => {
    const broken = async function* (): AsyncGenerator<Buffer> {
      yield entry({name: 'a', content: 'x'.repeat(1000)}).subarray(0, 700);
      throw new Error('the channel has ended');
    };
    const error = await failure(Readable.from(broken(), {objectMode: false}));
    expect(error).toMatchObject({message: 'the channel has ended'});
  });

  it('does not fail when it meets another at the same time', async () => {
    const root = await tempFolder();
    const folder = join(root, 'out');
    await Promise.all(
      Array.from({length: 8}, (_none, index) => unpackTo(folder, archive({name: `f${index}`}), limits)),
    );
    expect(await readdir(folder)).toHaveLength(1);
    expect(await readdir(root)).toEqual(['out']);
  });

  it('keeps what appeared meanwhile in a folder that was to be new', async () => {
    const folder = join(await tempFolder(), 'out');
    await mkdir(folder);
    await writeFile(join(folder, 'mine'), 'mine');
    const transfer = unpackTo(folder, archive({name: 'theirs'}), limits, 'new or empty');
    await expect(transfer).rejects.toMatchObject({
      code: 'GUEST_FAILED',
      message: expect.stringContaining('not empty'),
    });
    expect(await readFile(join(folder, 'mine'), 'utf8')).toBe('mine');
  });

  it('takes the place of an empty folder', async () => {
    const folder = join(await tempFolder(), 'out');
    await mkdir(folder);
    await unpackTo(folder, archive({name: 'theirs', content: 'x'}), limits, 'new or empty');
    expect(await readdir(folder)).toEqual(['theirs']);
  });

  it('replaces a folder that holds names of any bytes', async () => {
    const root = await tempFolder();
    const folder = join(root, 'out');
    await mkdir(folder);
    await writeFile(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe])]), 'x');
    await mkdir(join(folder, 'sub'));
    await chmod(join(folder, 'sub'), 0o700);
    await unpackTo(folder, archive({name: 'new'}), limits);
    expect(await readdir(root)).toEqual(['out']);
    expect(await readdir(folder)).toEqual(['new']);
  });
});
