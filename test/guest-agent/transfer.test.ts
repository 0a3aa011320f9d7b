import {execFileSync} from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import {constants, tmpdir} from 'node:os';
import {join} from 'node:path';
import {buffer} from 'node:stream/consumers';
import {pack} from 'tar-stream';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {eventually} from './eventually.ts';
import type {Exit, Peer} from './peer.ts';
import {withAgent} from './stdio-agent.ts';
import {describeTree, makeTree, tarOf, untar} from './tree.ts';
import {type Row, Tag, Type} from './wire.ts';

const {errno} = constants;
const isRoot = process.getuid?.() === 0;
let folder: string;
let source: string;
let target: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'guest-transfer-'));
  source = join(folder, 'source');
  target = join(folder, 'target');
  mkdirSync(source);
});

afterEach(() => rmSync(folder, {recursive: true, force: true}));

const put = async (peer: Peer, archive: Uint8Array, rows: readonly Row[] = []): Promise<Exit> => {
  const session = peer.open(Type.put, [[Tag.path, target], ...rows]);
  await session.end(archive);
  return session.exit;
};

const get = async (peer: Peer, path: string, rows: readonly Row[] = []) => {
  const session = peer.open(Type.get, [[Tag.path, path], ...rows]);
  const exit = await session.exit;
  return {exit, archive: Buffer.concat(session.output.stdout)};
};

for (const format of ['pax', 'ustar', 'gnu']) {
  test(`PUT makes the tree of a ${format} archive`, () =>
    withAgent(async ({peer}) => {
      makeTree(source);
      if (format === 'ustar') {
        rmSync(join(source, 'z'.repeat(255)));
        rmSync(join(source, 'y'.repeat(101)));
        rmSync(join(source, 'long-link'));
      }
      expect(await put(peer, tarOf(source, format))).toMatchObject({code: 0});
      expect(describeTree(target)).toEqual(describeTree(source));
    }));
}

test('PUT takes what tar-stream makes', () =>
  withAgent(async ({peer}) => {
    const archive = pack();
    const long = `${'d'.repeat(90)}/${'f'.repeat(90)}/ünï`;
    archive.entry({name: 'a', mode: 0o600, mtime: new Date(5000)}, 'A');
    archive.entry({name: long}, 'long');
    archive.entry({name: 'dir/', type: 'directory', mode: 0o750});
    archive.entry({name: 'link', type: 'symlink', linkname: 'a'});
    archive.finalize();
    expect(await put(peer, await buffer(archive))).toMatchObject({code: 0});
    expect(readFileSync(join(target, long), 'utf8')).toBe('long');
    expect(statSync(join(target, 'a'))).toMatchObject({mtimeMs: 5000, mode: 0o100600});
    expect(statSync(join(target, 'dir')).mode & 0o7777).toBe(0o750);
    expect(readlinkSync(join(target, 'link'))).toBe('a');
  }));

test('GET sends the tree that system tar unpacks', () =>
  withAgent(async ({peer}) => {
    makeTree(source);
    execFileSync('mkfifo', [join(source, 'fifo')]);
    const {exit, archive} = await get(peer, source);
    expect(exit).toMatchObject({code: 0});
    untar(archive, target);
    rmSync(join(source, 'fifo'));
    expect(describeTree(target)).toEqual(describeTree(source));
  }));

test(
  'GET and PUT together carry 30 MB and 1000 files',
  () =>
    withAgent(async ({peer}) => {
      writeFileSync(join(source, 'large'), Buffer.alloc(30_000_000, 'abc'));
      for (let i = 0; i < 1000; i++) writeFileSync(join(source, `file-${i}`), `${i}`);
      const {exit, archive} = await get(peer, source);
      expect(exit.code).toBe(0);
      expect(await put(peer, archive)).toMatchObject({code: 0});
      expect(describeTree(target)).toEqual(describeTree(source));
    }),
  120_000,
);

test('GET sends a sparse file of more than 8 GiB with its size', () =>
  withAgent(async ({peer}) => {
    const size = 9 * 2 ** 30;
    writeFileSync(join(source, 'sparse'), '');
    truncateSync(join(source, 'sparse'), size);
    let seen = 0;
    let head = Buffer.alloc(0);
    const session = peer.open(Type.get, [[Tag.path, source]], {
      autoCredit: false,
      onOutput: (chunk) => {
        seen += chunk.length;
        if (head.length < 4096) head = Buffer.concat([head, chunk]);
      },
    });
    await eventually(() => seen).toBeGreaterThan(4096);
    expect(head.toString('latin1')).toContain(`size=${size}\n`);
    await session.signal(9, 1);
    await session.giveCredit('stdout', 1_000_000);
    expect(await session.exit).toMatchObject({code: 1, errno: errno.EIO});
  }));

test('PUT replaces files and links, merges directories, and leaves the rest', () =>
  withAgent(async ({peer}) => {
    mkdirSync(join(target, 'both'), {recursive: true});
    chmodSync(target, 0o1777);
    writeFileSync(join(target, 'both/old'), 'old');
    writeFileSync(join(folder, 'victim'), 'victim');
    symlinkSync('../victim', join(target, 'file'));
    mkdirSync(join(target, 'empty'));
    mkdirSync(join(source, 'both'));
    writeFileSync(join(source, 'both/new'), 'new');
    writeFileSync(join(source, 'file'), 'file');
    writeFileSync(join(source, 'empty'), 'now a file');
    expect(await put(peer, tarOf(source, 'pax'))).toMatchObject({code: 0});
    expect(readdirSync(join(target, 'both')).sort()).toEqual(['new', 'old']);
    expect(readFileSync(join(target, 'file'), 'utf8')).toBe('file');
    expect(readFileSync(join(target, 'empty'), 'utf8')).toBe('now a file');
    expect(readFileSync(join(folder, 'victim'), 'utf8')).toBe('victim');
    expect(statSync(target).mode & 0o7777).toBe(0o1777);
  }));

test('PUT leaves what is there until the last byte of a file is in', () =>
  withAgent(async ({peer}) => {
    mkdirSync(target);
    writeFileSync(join(target, 'file'), 'precious');
    writeFileSync(join(source, 'file'), Buffer.alloc(100_000));
    const archive = tarOf(source, 'ustar');
    expect((await put(peer, archive.subarray(0, 50_000))).code).toBe(1);
    expect(readFileSync(join(target, 'file'), 'utf8')).toBe('precious');
    expect(readdirSync(target)).toEqual(['file']);
  }));

const archiveOf = async (
  ...entries: {name: string; type?: 'file' | 'symlink' | 'link' | 'fifo'; linkname?: string}[]
) => {
  const archive = pack();
  for (const {name, type = 'file', linkname} of entries) {
    if (type === 'file') archive.entry({name}, 'evil');
    else archive.entry({name, type, ...(linkname ? {linkname} : {})});
  }
  archive.finalize();
  return buffer(archive);
};

test('PUT writes nowhere but below its folder', () =>
  withAgent(async ({peer}) => {
    mkdirSync(join(folder, 'outside'));
    mkdirSync(target);
    symlinkSync('../outside', join(target, 'door'));
    const cases: [string, Buffer, number][] = [
      ['absolute', await archiveOf({name: `${folder}/outside/a`}), errno.EPERM],
      ['dots', await archiveOf({name: '../outside/a'}), errno.EPERM],
      ['dots within', await archiveOf({name: 'x/../../outside/a'}), errno.EPERM],
      ['through a link that is there', await archiveOf({name: 'door/a'}), errno.ENOTDIR],
      [
        'through a link of its own',
        await archiveOf({name: 'd', type: 'symlink', linkname: '../outside'}, {name: 'd/a'}),
        errno.ENOTDIR,
      ],
      ['a hard link', await archiveOf({name: 'h', type: 'link', linkname: '/etc/passwd'}), errno.EINVAL],
      ['a pipe', await archiveOf({name: 'p', type: 'fifo'}), errno.EINVAL],
    ];
    for (const [what, archive, error] of cases) {
      expect(await put(peer, archive), what).toMatchObject({code: 1, errno: error});
    }
    expect(readdirSync(join(folder, 'outside'))).toEqual([]);
    expect(existsSync(join(folder, 'a'))).toBe(false);
  }));

test('PUT drops set-id bits', () =>
  withAgent(async ({peer}) => {
    writeFileSync(join(source, 'suid'), '');
    chmodSync(join(source, 'suid'), 0o6755);
    expect(await put(peer, tarOf(source, 'pax'))).toMatchObject({code: 0});
    expect(statSync(join(target, 'suid')).mode & 0o7777).toBe(0o755);
  }));

test.runIf(isRoot)('PUT gives files and new folders to its user', () =>
  withAgent(async ({peer}) => {
    mkdirSync(join(source, 'd'));
    writeFileSync(join(source, 'd/f'), '');
    symlinkSync('f', join(source, 'd/l'));
    expect(await put(peer, tarOf(source, 'pax'), [[Tag.user, '12345:54321']])).toMatchObject({code: 0});
    for (const name of ['.', 'd', 'd/f', 'd/l']) {
      expect(lstatSync(join(target, name))).toMatchObject({uid: 12_345, gid: 54_321});
    }
    expect(await put(peer, tarOf(source, 'pax'), [[Tag.user, 'no-such']])).toMatchObject({
      code: 1,
      errno: errno.ENOENT,
    });
  }),
);

test('PUT and GET keep to their bounds', () =>
  withAgent(async ({peer}) => {
    for (let i = 0; i < 5; i++) writeFileSync(join(source, `f${i}`), '12345');
    const bytes = (limit: bigint): Row[] => [[Tag.maxBytes, {u64: limit}]];
    const entries = (limit: number): Row[] => [[Tag.maxEntries, {u32: limit}]];
    const archive = tarOf(source, 'pax');
    expect(await put(peer, archive, bytes(25n))).toMatchObject({code: 0});
    expect(await put(peer, archive, bytes(24n))).toMatchObject({code: 1, errno: errno.EFBIG});
    expect(await put(peer, archive, entries(6))).toMatchObject({code: 0});
    expect(await put(peer, archive, entries(5))).toMatchObject({code: 1, errno: errno.E2BIG});
    expect((await get(peer, source, bytes(25n))).exit).toMatchObject({code: 0});
    expect((await get(peer, source, bytes(24n))).exit).toMatchObject({code: 1, errno: errno.EFBIG});
    expect((await get(peer, source, entries(5))).exit).toMatchObject({code: 0});
    expect((await get(peer, source, entries(4))).exit).toMatchObject({code: 1, errno: errno.E2BIG});
  }));

test('PUT and GET say why they fail', () =>
  withAgent(async ({peer}) => {
    writeFileSync(join(source, 'f'), 'x');
    expect((await get(peer, join(source, 'no'))).exit).toMatchObject({code: 1, errno: errno.ENOENT});
    expect((await get(peer, join(source, 'f'))).exit).toMatchObject({code: 1, errno: errno.ENOTDIR});
    const archive = tarOf(source, 'pax');
    const broken = Buffer.from(archive);
    broken[3] = 1;
    expect(await put(peer, broken)).toMatchObject({
      code: 1,
      errno: errno.EINVAL,
      reason: expect.stringMatching(/checksum/),
    });
    const cut = archive.subarray(0, 1024);
    expect(await put(peer, cut)).toMatchObject({
      code: 1,
      errno: errno.EINVAL,
      reason: expect.stringMatching(/ends before/),
    });
    expect(await put(peer, Buffer.alloc(0))).toMatchObject({
      code: 1,
      reason: expect.stringMatching(/ends before/),
    });
    writeFileSync(target.concat('-file'), '');
    target = target.concat('-file');
    expect(await put(peer, archive)).toMatchObject({code: 1, errno: errno.ENOTDIR});
  }));

test('GET keeps to the size of the header while a file shrinks and grows', () =>
  withAgent(async ({peer}) => {
    const path = join(source, 'f');
    const change = peer.sh(`while :; do head -c 3000000 /dev/zero > ${path}; : > ${path}; done`);
    for (let i = 0; i < 20; i++) {
      const {exit, archive} = await get(peer, source);
      expect(exit).toMatchObject({code: 0});
      execFileSync('tar', ['-tf', '-'], {input: archive});
    }
    await change.signal(9, 1);
    await change.exit;
  }));

test('GET gives up on a tree without end', () =>
  withAgent(async ({peer}) => {
    execFileSync('sh', ['-c', 'i=0; while [ $i -lt 300 ]; do mkdir d; cd d; i=$((i+1)); done'], {
      cwd: source,
    });
    expect((await get(peer, source)).exit).toMatchObject({code: 1, errno: errno.ENAMETOOLONG});
  }));
