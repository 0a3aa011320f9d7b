import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import {constants, tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import type {Peer} from './peer.ts';
import {withAgent} from './stdio-agent.ts';
import {untar} from './tree.ts';
import {type Row, Tag, Type} from './wire.ts';

const {errno} = constants;
const file: Row = [Tag.file, {u32: 1}];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'guest-file-'));
});

afterEach(() => rmSync(folder, {recursive: true, force: true}));

const get = async (peer: Peer, path: string, rows: readonly Row[] = [file]) => {
  const session = peer.open(Type.get, [[Tag.path, path], ...rows]);
  const exit = await session.exit;
  return {exit, archive: Buffer.concat(session.output.stdout)};
};

const makeFile = (content: string, mode = 0o751): string => {
  const path = join(folder, 'one');
  writeFileSync(path, content, {mode});
  return path;
};

test('GET of a file sends it alone, with its base name and mode', () =>
  withAgent(async ({peer}) => {
    const {exit, archive} = await get(peer, makeFile('content'));
    expect(exit).toMatchObject({code: 0});
    untar(archive, join(folder, 'back'));
    expect(readFileSync(join(folder, 'back/one'), 'utf8')).toBe('content');
    expect(statSync(join(folder, 'back/one')).mode & 0o777).toBe(0o751);
  }));

test('GET of a file follows the link that was named, and sends the content under its name', () =>
  withAgent(async ({peer}) => {
    makeFile('behind the link');
    symlinkSync('one', join(folder, 'link'));
    const {archive} = await get(peer, join(folder, 'link'));
    untar(archive, join(folder, 'back'));
    expect(readFileSync(join(folder, 'back/link'), 'utf8')).toBe('behind the link');
  }));

test('GET of a file says why it is none', () =>
  withAgent(async ({peer}) => {
    const path = makeFile('');
    const failed = async (wanted: string) => (await get(peer, wanted)).exit;
    expect(await failed(folder)).toMatchObject({code: 1, errno: errno.EISDIR});
    expect(await failed('/')).toMatchObject({code: 1, errno: errno.EISDIR});
    expect(await failed(join(folder, 'none'))).toMatchObject({code: 1, errno: errno.ENOENT});
    expect(await failed(`${path}/below`)).toMatchObject({code: 1, errno: errno.ENOTDIR});
    expect(await failed(`${path}/`)).toMatchObject({code: 1, errno: errno.ENOTDIR});
    expect(await failed('/dev/null')).toMatchObject({code: 1, errno: errno.EINVAL});
  }));

test('GET of a file keeps to its bound', () =>
  withAgent(async ({peer}) => {
    const path = makeFile('12345');
    const most = (bytes: bigint): Row[] => [file, [Tag.maxBytes, {u64: bytes}]];
    expect((await get(peer, path, most(5n))).exit).toMatchObject({code: 0});
    expect((await get(peer, path, most(4n))).exit).toMatchObject({code: 1, errno: errno.EFBIG});
    truncateSync(path, 0);
    expect((await get(peer, path, most(0n))).exit).toMatchObject({code: 0});
  }));

test('GET of a file that says it is empty sends what it holds', () =>
  withAgent(async ({peer}) => {
    const {archive} = await get(peer, '/proc/version');
    untar(archive, join(folder, 'back'));
    expect(readFileSync(join(folder, 'back/version'), 'utf8')).toBe(readFileSync('/proc/version', 'utf8'));
  }));

test('GET of a directory begins with its own mode, which does not count', () =>
  withAgent(async ({peer}) => {
    const path = join(folder, 'dir');
    mkdirSync(path, {mode: 0o710});
    const {exit, archive} = await get(peer, path, [[Tag.maxEntries, {u32: 0}]]);
    expect(exit).toMatchObject({code: 0});
    expect(archive.toString('latin1', 0, 108)).toBe(`./${'\0'.repeat(98)}0000710\0`);
    writeFileSync(join(path, 'f'), '');
    expect((await get(peer, path, [[Tag.maxEntries, {u32: 0}]])).exit).toMatchObject({errno: errno.E2BIG});
  }));

test('GET leaves out what is the kernel’s own', () =>
  withAgent(async ({peer}) => {
    // /sys/fs lies in sysfs, and holds mounts of it: the folder itself was named, what is mounted in it was not.
    const {exit, archive} = await get(peer, '/sys/fs', [[Tag.maxEntries, {u32: 1000}]]);
    expect(exit).toMatchObject({code: 0});
    expect(archive.length).toBeLessThan(1_000_000);
  }));
