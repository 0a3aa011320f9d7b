import {chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {buffer, text} from 'node:stream/consumers';
import {afterAll, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import type {Guest} from '../../src/guest/guest.js';
import {packFiles, packSource} from '../../src/guest/tar-pack.js';
import {unpackTo} from '../../src/guest/tar-unpack.js';
import {createRandom} from './random.js';
import {noAgentReason, type RealAgent, startAgent} from './real-agent.js';

const limits = {maxBytes: 200_000_000, maxEntries: 5000};
const toRoot = {...limits, user: ''};

/** Every file below a folder with its content, by its path as raw bytes. */
const contentOf = async (folder: string): Promise<Map<string, string>> => {
  const found = new Map<string, string>();
  const visit = async (path: Buffer, name: string): Promise<void> => {
    for (const step of await readdir(path, 'buffer')) {
      const child = Buffer.concat([path, Buffer.from('/'), step]);
      const childName = `${name}/${step.toString('latin1')}`;
      if ((await stat(child)).isDirectory()) await visit(child, childName);
      else found.set(childName, (await readFile(child)).toString('latin1'));
    }
  };
  await visit(Buffer.from(folder), '');
  return found;
};

describe.skipIf(noAgentReason)('files through the real agent', () => {
  let agent: RealAgent;
  let guest: Guest;
  let host: string;
  let inside: string;

  beforeAll(async () => {
    agent = await startAgent();
    guest = agent.guest;
  });
  afterAll(async () => {
    await agent.stop();
  });
  beforeEach(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'agent-transfer-'));
    host = join(folder, 'host');
    inside = join(folder, 'guest');
    await mkdir(host);
    return () => rm(folder, {recursive: true, force: true});
  });

  it('go there and back: 1,000 of them, of any name and size', async () => {
    const random = createRandom(4);
    const odd = [
      'new\nline',
      ' ',
      '-rf',
      '*',
      '日本語',
      'ü'.repeat(100),
      'quo\'te"',
      'back\\slash',
      '\u001b[31m',
    ];
    const top = join(host, 'top');
    for (let file = 0; file < 1000; file += 1) {
      const folder = join(top, `${file % 10}`, file % 7 === 0 ? 'x'.repeat(120) : 'y');
      await mkdir(folder, {recursive: true});
      const size = file === 500 ? 3_000_000 : random.pick([0, 1, 511, 512, 513, 9000]);
      const name = `${odd[file % 50] ?? 'file'}${file}`;
      await writeFile(join(folder, name), Buffer.alloc(size, file & 0xff), {mode: file % 2 ? 0o644 : 0o755});
    }
    await guest.put(inside, packFiles([top], limits), toRoot);
    const unpacked = await unpackTo(join(host, 'back'), guest.get(inside, limits), limits);
    expect(unpacked).toMatchObject({files: 1000, skipped: 0});
    expect(await contentOf(join(host, 'back/top'))).toEqual(await contentOf(top));
    const before = await stat(join(top, '1/y/file461'));
    const after = await stat(join(host, 'back/top/1/y/file461'));
    expect([after.mode, Math.floor(after.mtimeMs / 1000)]).toEqual([
      before.mode,
      Math.floor(before.mtimeMs / 1000),
    ]);
  });

  it('keep names of any bytes inside, and come back escaped', async () => {
    const top = join(host, 'top');
    await mkdir(top);
    await writeFile(Buffer.concat([Buffer.from(`${top}/caf`), Buffer.from([0xe9])]), 'latin');
    await guest.put(inside, packFiles([top], limits), toRoot);
    expect([...(await contentOf(inside)).keys()]).toEqual(['/top/caf\xe9']);
    await unpackTo(join(host, 'back'), guest.get(inside, limits), limits);
    expect(await readdir(join(host, 'back/top'))).toEqual(['caf%E9']);
  });

  it('bring no links and pipes back, and say how many', async () => {
    await mkdir(inside);
    await symlink('/etc/passwd', join(inside, 'link'));
    await symlink('/', join(inside, 'root'));
    await writeFile(join(inside, 'file'), 'x');
    await chmod(join(inside, 'file'), 0o4755);
    const unpacked = await unpackTo(join(host, 'back'), guest.get(inside, limits), limits);
    expect(unpacked).toEqual({files: 1, directories: 0, bytes: 1, skipped: 2});
    expect((await stat(join(host, 'back/file'))).mode & 0o7777).toBe(0o755);
  });

  it('of 100 MB pass without being kept in memory', async () => {
    const made = guest.exec({
      argv: ['/bin/sh', '-c', 'mkdir -p "$1" && head -c 100000000 /dev/zero > "$1/big"', 'sh', inside],
      env: ['PATH=/usr/bin:/bin'],
      cwd: '/',
      user: '',
    });
    expect((await made.exit).code).toBe(0);
    const before = process.memoryUsage().rss;
    let peak = 0;
    const tar = guest.get(inside, limits);
    tar.on('data', () => {
      peak = Math.max(peak, process.memoryUsage.rss());
    });
    tar.pause();
    const unpacked = await unpackTo(join(host, 'back'), tar, limits);
    expect(unpacked.bytes).toBe(100_000_000);
    expect(peak - before).toBeLessThan(100 * 1024 * 1024);
    await guest.put(join(inside, 'again'), packFiles([join(host, 'back/big')], limits), toRoot);
    expect((await stat(join(inside, 'again/big'))).size).toBe(100_000_000);
  });

  it('stop at the limits of the guest', async () => {
    await mkdir(inside);
    await writeFile(join(inside, 'file'), Buffer.alloc(2000));
    await expect(buffer(guest.get(inside, {...limits, maxBytes: 1999}))).rejects.toMatchObject({
      code: 'GUEST_FAILED',
      message: expect.stringContaining('more than 1999 bytes'),
    });
    const source = packSource({name: 'a', content: Buffer.alloc(2000)});
    await expect(guest.put(inside, source, {...toRoot, maxBytes: 1999})).rejects.toMatchObject({
      code: 'GUEST_FAILED',
      hints: [expect.stringContaining('copy fewer or smaller files')],
    });
  });

  it('tell what is missing, and the channel goes on', async () => {
    await expect(buffer(guest.get('/no/such', limits))).rejects.toMatchObject({
      code: 'GUEST_FAILED',
      message: expect.stringContaining('no such file or directory'),
    });
    await expect(
      guest.put('/proc/nothing', packSource({name: 'a', content: 'x'}), toRoot),
    ).rejects.toMatchObject({code: 'GUEST_FAILED'});
    await guest.ping(5000);
  });

  it('may be given up half way, by either side, and the channel goes on', async () => {
    await mkdir(inside);
    await writeFile(join(inside, 'big'), Buffer.alloc(5_000_000));
    const tar = guest.get(inside, limits);
    for await (const _bytes of tar) break;
    expect(tar.destroyed).toBe(true);
    const source = packFiles([join(inside, 'big')], limits);
    source.once('readable', () => source.destroy(new Error('the disk broke')));
    await expect(guest.put(join(inside, 'x'), source, toRoot)).rejects.toThrow('the disk broke');
    const after = guest.exec({argv: ['/bin/echo', 'well'], env: [], cwd: '/', user: ''});
    expect(await text(after.stdout)).toBe('well\n');
  });

  it('fail at once when the agent dies', async () => {
    const dying = await startAgent();
    // Its input ends with the agent, and so does it: nothing is left of the test.
    const session = dying.guest.exec({argv: ['/bin/cat'], env: [], cwd: '/', user: ''});
    const tar = dying.guest.get('/usr', {maxBytes: 1e12, maxEntries: 1e6});
    dying.child.kill('SIGKILL');
    await expect(session.exit).rejects.toMatchObject({code: 'GUEST_FAILED'});
    await expect(buffer(tar)).rejects.toMatchObject({code: 'GUEST_FAILED'});
    expect(await dying.guest.closed).toMatchObject({code: 'GUEST_FAILED'});
    await dying.stop();
  });

  it('are there after a shutdown, which ends everything else', async () => {
    const leaving = await startAgent();
    const session = leaving.guest.exec({argv: ['/bin/sleep', '1000'], env: [], cwd: '/', user: ''});
    await leaving.guest.put(inside, packSource({name: 'a', content: 'kept'}), toRoot);
    await leaving.guest.shutdown({graceMs: 200, timeoutMs: 10_000});
    expect(await readFile(join(inside, 'a'), 'utf8')).toBe('kept');
    const ending = await session.exit.then(
      ({signal}) => signal,
      (error: unknown) => error,
    );
    expect(ending).toBe(15);
    await leaving.stop();
    expect(await leaving.guest.closed).toBeUndefined();
  });
});
