import {execFileSync} from 'node:child_process';
import {appendFile, chmod, mkdir, readFile, symlink, truncate, utimes, writeFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import {extract, type Header} from 'tar-stream';
import {describe, expect, it} from 'vitest';
import {checkFiles} from '../../src/guest/check-files.js';
import {fileError} from '../../src/guest/host-tree.js';
import {packFiles, packSource} from '../../src/guest/tar-pack.js';
import {useTempFolder} from './temp-folder.js';

const tempFolder = useTempFolder();
const limits = {maxBytes: 50_000_000, maxEntries: 1000};

interface Unpacked {
  readonly header: Header;
  readonly content: Buffer;
}

/** Reads an archive with another implementation than ours. */
const entries = async (tar: Readable): Promise<Map<string, Unpacked>> => {
  const found = new Map<string, Unpacked>();
  const reader = extract();
  reader.end(await buffer(tar));
  for await (const entry of reader) {
    found.set(entry.header.name, {header: entry.header, content: await buffer(entry)});
  }
  return found;
};

describe('packFiles', () => {
  it('packs files and folders by their base names, with modes and times', async () => {
    const folder = await tempFolder();
    await mkdir(join(folder, 'src/lib/empty'), {recursive: true});
    await writeFile(join(folder, 'src/run.sh'), '#!/bin/sh\n', {mode: 0o755});
    await writeFile(join(folder, 'src/lib/data'), Buffer.alloc(200_000, 7));
    await writeFile(join(folder, 'one.txt'), 'one');
    await chmod(join(folder, 'one.txt'), 0o640);
    await utimes(join(folder, 'one.txt'), 1e9, 1e9);
    const found = await entries(packFiles([join(folder, 'one.txt'), `${join(folder, 'src')}/`], limits));
    expect([...found.keys()]).toEqual([
      'one.txt',
      'src/',
      'src/lib/',
      'src/lib/data',
      'src/lib/empty/',
      'src/run.sh',
    ]);
    const one = found.get('one.txt');
    expect([one?.header.mode, one?.header.mtime?.getTime(), one?.content.toString()]).toEqual([
      0o640,
      1e12,
      'one',
    ]);
    expect(found.get('src/run.sh')?.header.mode).toBe(0o755);
    expect(found.get('src/lib/data')?.content.equals(Buffer.alloc(200_000, 7))).toBe(true);
  });

  it('keeps links inside folders as links, and follows one that was named', async () => {
    const folder = await tempFolder();
    const far = `/far/${'t'.repeat(150)}`;
    await mkdir(join(folder, 'src'));
    await writeFile(join(folder, 'real'), 'content');
    await symlink('../real', join(folder, 'src/inside'));
    await symlink(far, join(folder, 'src/far'));
    await symlink('real', join(folder, 'named'));
    await symlink('src', join(folder, 'tree'));
    const paths = ['named', 'tree'].map((name) => join(folder, name));
    const found = await entries(packFiles(paths, limits));
    expect(found.get('named')?.content.toString()).toBe('content');
    expect(found.get('tree/inside')?.header).toMatchObject({type: 'symlink', linkname: '../real'});
    expect(found.get('tree/far')?.header).toMatchObject({type: 'symlink', linkname: far});
  });

  it('packs names of any length and of any bytes, as GNU tar reads them', async () => {
    const folder = await tempFolder();
    const out = await tempFolder();
    const names = [
      Buffer.from('n'.repeat(100)),
      Buffer.from('m'.repeat(255)),
      Buffer.from('new\nline'),
      Buffer.from('日本語'),
      Buffer.from('caf\xe9', 'latin1'),
      Buffer.from(`${'d'.repeat(90)}/${'e'.repeat(60)}/${'f'.repeat(90)}`),
      Buffer.from(`${'g'.repeat(98)}/h`),
      Buffer.from(`${'i'.repeat(155)}/${'j'.repeat(100)}`),
    ];
    const top = join(folder, 's');
    for (const name of names) {
      const path = Buffer.concat([Buffer.from(`${top}/`), name]);
      const slash = path.lastIndexOf(0x2f);
      await mkdir(path.subarray(0, slash), {recursive: true});
      await writeFile(path, name);
    }
    execFileSync('tar', ['-C', out, '-xf', '-'], {input: await buffer(packFiles([top], limits))});
    for (const name of names) {
      expect(await readFile(Buffer.concat([Buffer.from(`${out}/s/`), name]))).toEqual(name);
    }
  });

  it('reads a file as long as it was, however it grows meanwhile', async () => {
    const folder = await tempFolder();
    const path = join(folder, 'log');
    await writeFile(path, Buffer.alloc(1_000_000, 'a'));
    const growing = async function* (): AsyncGenerator<Buffer> {
      for await (const bytes of packFiles([path], limits)) {
        await appendFile(path, 'b'.repeat(100_000));
        yield bytes;
      }
    };
    const found = await entries(Readable.from(growing(), {objectMode: false}));
    expect(found.get('log')?.content.equals(Buffer.alloc(1_000_000, 'a'))).toBe(true);
  });

  it('fails for a file that shrinks meanwhile', async () => {
    const folder = await tempFolder();
    const path = join(folder, 'log');
    await writeFile(path, Buffer.alloc(1_000_000, 'a'));
    const tar = packFiles([path], limits);
    const read = async (): Promise<void> => {
      for await (const _bytes of tar) await truncate(path, 10);
    };
    await expect(read()).rejects.toThrow(`'${path}' became shorter while it was copied.`);
  });

  it('keeps little in memory and no file open when it is given up', async () => {
    const folder = await tempFolder();
    const path = join(folder, 'big');
    await writeFile(path, '');
    await truncate(path, 40_000_000);
    const tar = packFiles([path], limits);
    for await (const _bytes of tar) break;
    expect(tar.destroyed).toBe(true);
    const pieces = packFiles([path], limits);
    let most = 0;
    for await (const _bytes of pieces) most = Math.max(most, pieces.readableLength);
    expect(most).toBeLessThan(300_000);
  });

  it('gives errors of its files as usage errors', async () => {
    const read = packFiles(['/no/such/file'], limits).toArray();
    await expect(read).rejects.toMatchObject({code: 'USAGE', message: "There is no file '/no/such/file'."});
  });
});

describe('packSource', () => {
  it('packs one file from memory', async () => {
    const found = await entries(packSource({name: 'main.py', content: "print('ä')\n"}));
    expect([...found.keys()]).toEqual(['main.py']);
    expect(found.get('main.py')).toMatchObject({header: {mode: 0o644}, content: Buffer.from("print('ä')\n")});
    const empty = await entries(packSource({name: 'x', content: Buffer.alloc(0), mode: 0o755}));
    expect(empty.get('x')).toMatchObject({header: {mode: 0o755, size: 0}});
  });
});

describe('checkFiles', () => {
  it('passes what can be copied', async () => {
    const folder = await tempFolder();
    await mkdir(join(folder, 'd'));
    await writeFile(join(folder, 'd/f'), 'x');
    await symlink('nowhere', join(folder, 'd/dangling'));
    await checkFiles([join(folder, 'd'), join(folder, 'd/f')], limits);
    await checkFiles([], limits);
  });

  it('names what is missing', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'f'), 'x');
    await symlink('nowhere', join(folder, 'dangling'));
    for (const path of ['missing', 'f/below-a-file', 'dangling'].map((name) => join(folder, name))) {
      await expect(checkFiles([join(folder, 'f'), path], limits)).rejects.toMatchObject({
        code: 'USAGE',
        message: `There is no file '${path}'.`,
      });
    }
  });

  it('names what cannot be read', () => {
    const refused = Object.assign(new Error('permission denied'), {code: 'EACCES'});
    expect(fileError('/folder/secret', refused)).toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('/folder/secret'),
    });
  });

  it('refuses two files that would have one name', async () => {
    const folder = await tempFolder();
    for (const name of ['a', 'b']) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'same.txt'), 'x');
    }
    const paths = ['a', 'b'].map((name) => join(folder, name, 'same.txt'));
    await expect(checkFiles(paths, limits)).rejects.toMatchObject({
      code: 'USAGE',
      message: `'${paths[0]}' and '${paths[1]}' would both be 'same.txt' in the guest.`,
    });
    await expect(checkFiles(['/'], limits)).rejects.toThrow('has no name');
  });

  it('refuses sockets and pipes', async () => {
    const folder = await tempFolder();
    const server = createServer().listen(join(folder, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    await expect(checkFiles([folder], limits)).rejects.toThrow('neither a file nor a folder nor a link');
    await new Promise((resolve) => server.close(resolve));
    execFileSync('sh', ['-c', 'mkfifo "$1"', 'sh', join(folder, 'pipe')]);
    await expect(checkFiles([join(folder, 'pipe')], limits)).rejects.toMatchObject({code: 'USAGE'});
  });

  it('refuses more than the limits', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'a'), Buffer.alloc(600));
    await writeFile(join(folder, 'b'), Buffer.alloc(600));
    await expect(checkFiles([folder], {...limits, maxBytes: 1000})).rejects.toMatchObject({code: 'USAGE'});
    await expect(checkFiles([folder], {...limits, maxEntries: 2})).rejects.toThrow('more than 2 files');
    await checkFiles([folder], {maxBytes: 1200, maxEntries: 3});
  });
});
