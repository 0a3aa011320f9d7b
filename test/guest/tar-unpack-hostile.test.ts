import {readdir, readFile, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {describe, expect, it} from 'vitest';
import {BLOCK_BYTES} from '../../src/guest/tar-header.js';
import {encodePax} from '../../src/guest/tar-pax.js';
import {unpackTo} from '../../src/guest/tar-unpack.js';
import {endOfArchive} from '../../src/guest/tar-writer.js';
import {archive, type Entry, entry, failure, hostile, limits, pax, tempFolder, unpack} from './archives.js';
import {createRandom} from './random.js';

describe('a hostile archive', () => {
  it.each([
    ['an absolute name', {name: '/etc/cron.d/x'}],
    ["'..' first", {name: '../victim'}],
    ["'..' inside", {name: 'a/../../victim'}],
    ["'..' last", {name: 'a/..', type: '5'}],
    ['an absolute link', {name: '/etc/x', type: '2', target: '/'}],
    ['no name', {name: ''}],
    ['a sparse file', {name: 'sparse', type: 'S'}],
    ['a name of GNU tar', {name: '././@LongLink', type: 'L', content: 'x'}],
    ['a continued file', {name: 'rest', type: 'M'}],
    ['an unknown type', {name: 'x', type: '\x1b'}],
  ] satisfies [string, Entry][])('is refused for %s', async (_what, part) => {
    expect(await failure(archive({name: 'ok', content: 'fine'}, part))).toMatchObject(hostile);
  });

  it.each([
    ['a path outside', pax(encodePax('path', Buffer.from('../victim')))],
    ['a path with a NUL', pax(encodePax('path', Buffer.from('a\0b')))],
    ['an empty path', pax(encodePax('path', Buffer.from('')))],
    ['a negative size', pax(encodePax('size', Buffer.from('-1')))],
    ['a size with an exponent', pax(encodePax('size', Buffer.from('1e3')))],
    ['a size beyond all measure', pax(encodePax('size', Buffer.from('9'.repeat(16))))],
    ['a record that is too long', pax(Buffer.from('99 path=x\n'))],
    ['a record of length 0', pax(Buffer.from('0 path=x\n'))],
    ['a record of negative length', pax(Buffer.from('-5 a=b\n'))],
    ['a record without a keyword', pax(Buffer.from('5 =b\n'))],
    ['a record without an end', pax(Buffer.from('7 a=bcd'))],
    [
      'a row of pax headers',
      Buffer.concat(Array.from({length: 5}, () => pax(encodePax('a', Buffer.from('b'))))),
    ],
    ['a pax header of 4 MiB', entry({name: 'PaxHeader', type: 'x', size: 4 * 1024 * 1024})],
    ['a global header of 4 MiB', entry({name: 'PaxHeader', type: 'g', size: 4 * 1024 * 1024})],
  ])('is refused for %s in a pax header', async (_what, header) => {
    expect(await failure(archive(header, {name: 'x', content: 'x'}))).toMatchObject(hostile);
  });

  it('is refused for damaged headers', async () => {
    const good = entry({name: 'x', content: 'x'});
    const damage = (offset: number, text: string): Buffer => {
      const block = Buffer.from(good);
      block.write(text, offset, 'latin1');
      const sum = block
        .subarray(0, 512)
        .reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 32 : byte), 0);
      block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
      return block;
    };
    const damaged = [
      Buffer.from(good).fill('y', 0, 1),
      damage(257, 'gnutar'),
      damage(124, '-0000000001'),
      damage(124, '0x000000009'),
      damage(124, '\xff'.repeat(12)),
      damage(124, `\x80${'\xff'.repeat(11)}`),
      damage(100, '99999999'),
    ];
    for (const block of damaged) expect(await failure(archive(block))).toMatchObject(hostile);
  });

  it('is refused when it is cut short, wherever', async () => {
    const whole = Buffer.concat([entry({name: 'x', content: 'x'.repeat(600)}), endOfArchive]);
    for (const size of [0, 1, 511, 512, 700, 1024, 1536, 2047, 2559]) {
      const tar = Readable.from([whole.subarray(0, size)], {objectMode: false});
      expect(await failure(tar)).toMatchObject(hostile);
    }
  });

  it('is refused when it goes on after its end, for ever', async () => {
    const endless = async function* (): AsyncGenerator<Buffer> {
      yield endOfArchive;
      for (;;) yield Buffer.alloc(65_536);
    };
    expect(await failure(Readable.from(endless(), {objectMode: false}))).toMatchObject(hostile);
  });

  it('has its links, devices and pipes left out', async () => {
    const {unpacked, names} = await unpack(
      archive(
        {name: 'link', type: '2', target: '..'},
        {name: 'link/escaped', content: 'x'},
        {name: 'passwd', type: '1', target: '/etc/passwd'},
        {name: 'tty', type: '3'},
        {name: 'disk', type: '4'},
        {name: 'pipe', type: '6', content: 'even with content'},
        {name: 'file', content: 'y'},
      ),
    );
    expect(names).toEqual(['file', 'link', 'link/escaped']);
    expect(unpacked).toMatchObject({files: 2, skipped: 5});
  });

  it('cannot make one name two things', async () => {
    const {unpacked, names, root} = await unpack(
      archive(
        {name: 'a', content: 'first'},
        {name: 'a', content: 'second'},
        {name: 'a/b', content: 'below a file'},
        {name: 'a/b/c/', type: '5'},
        {name: 'a', type: '5'},
        {name: 'd/', type: '5', mode: 0o700},
        {name: 'd', content: 'over a folder'},
        {name: 'd/', type: '5', mode: 0o755},
        {name: './/./d/./x', content: 'x'},
      ),
    );
    expect(names).toEqual(['a', 'd', 'd/x']);
    expect(await readFile(join(root, 'out/a'), 'utf8')).toBe('first');
    expect((await stat(join(root, 'out/d'))).mode & 0o777).toBe(0o755);
    expect(unpacked).toMatchObject({files: 2, directories: 1, skipped: 5});
  });

  it('gets no mode that could hurt: no set-id bits, and folders that can be removed', async () => {
    const {root} = await unpack(
      archive(
        {name: 'setuid', mode: 0o6755, content: 'x'},
        {name: 'none', mode: 0, content: 'x'},
        {name: 'locked/', type: '5', mode: 0},
        {name: 'locked/inside', content: 'x', mode: 0o7777},
      ),
    );
    const mode = async (name: string): Promise<number> => (await stat(join(root, 'out', name))).mode & 0o7777;
    expect(await mode('setuid')).toBe(0o755);
    expect(await mode('none')).toBe(0o400);
    expect(await mode('locked')).toBe(0o700);
    expect(await mode('locked/inside')).toBe(0o777);
  });

  it('has names that the host cannot hold left out, and others escaped', async () => {
    const long = (path: string): Buffer =>
      Buffer.concat([pax(encodePax('path', Buffer.from(path))), entry({name: 'x', content: 'x'})]);
    const {unpacked, names} = await unpack(
      archive(
        long('n'.repeat(256)),
        long('n'.repeat(255)),
        long('d/'.repeat(201)),
        long(`${'x'.repeat(200)}/`.repeat(25)),
        {name: Buffer.from('caf\xe9', 'latin1'), content: 'x'},
        {name: Buffer.from('\xed\xa0\x80', 'latin1'), content: 'x'},
        {name: 'caf%E9', content: 'y'},
        {name: '-rf *', content: 'x'},
        {name: 'back\\..\\slash', content: 'x'},
        {name: '\u001b[31m', content: 'x'},
      ),
    );
    expect(names).toEqual(
      ['n'.repeat(255), 'caf%E9', '%ED%A0%80', '-rf *', 'back\\..\\slash', '\u001b[31m'].sort(),
    );
    expect(unpacked.skipped).toBe(4);
  });

  it('stops at the limit of bytes, before it writes them', async () => {
    const tooMuch = {code: 'GUEST_FAILED', message: "The guest's files exceed the limit of 100 bytes."};
    const some = {name: 'a', content: 'x'.repeat(60)};
    expect(await failure(archive(some, {...some, name: 'b'}), {maxBytes: 100})).toMatchObject(tooMuch);
    expect(await failure(archive({name: 'huge', size: 0o77777777777}), {maxBytes: 100})).toMatchObject(
      tooMuch,
    );
    const paxed = pax(encodePax('size', Buffer.from(String(2 ** 50))));
    expect(await failure(archive(paxed, {name: 'x'}), {maxBytes: 100})).toMatchObject(tooMuch);
    expect(await failure(archive({name: 'pipe', type: '6', size: 101}), {maxBytes: 100})).toMatchObject(
      tooMuch,
    );
    expect((await unpack(archive({name: 'a', content: 'x'.repeat(100)}), {maxBytes: 100})).names).toEqual([
      'a',
    ]);
  });

  it('stops at the limit of entries, folders that no entry names among them', async () => {
    const tooMany = {code: 'GUEST_FAILED', message: expect.stringContaining('limit of 10 entries')};
    const files = Array.from({length: 12}, (_none, index) => ({name: `f${index}`}));
    expect(await failure(archive(...files), {maxEntries: 10})).toMatchObject(tooMany);
    expect(await failure(archive({name: `${'d/'.repeat(20)}x`}), {maxEntries: 10})).toMatchObject(tooMany);
    const links = Array.from({length: 12}, () => ({name: 'l', type: '2'}));
    expect(await failure(archive(...links), {maxEntries: 10})).toMatchObject(tooMany);
    const root = {name: './', type: '5'};
    const {unpacked} = await unpack(archive(root, ...files.slice(0, 10)), {maxEntries: 10});
    expect(unpacked.files).toBe(10);
  });

  it('never crashes and never leaves its folder, however it is damaged', async () => {
    const whole = Buffer.concat([
      entry({name: 'dir/', type: '5', mode: 0o755}),
      pax(encodePax('path', Buffer.from(`dir/${'n'.repeat(120)}`)), encodePax('size', Buffer.from('5'))),
      entry({name: 'x', content: 'hello'}),
      entry({name: 'dir/link', type: '2', target: '../..'}),
      entry({name: 'dir/file', content: 'y'.repeat(1000)}),
      endOfArchive,
    ]);
    const random = createRandom(3);
    const root = await tempFolder();
    for (let round = 0; round < 300; round += 1) {
      const bytes = Buffer.from(whole);
      for (let flips = 1 + random.number(4); flips > 0; flips -= 1) {
        bytes[random.number(bytes.length)] = random.number(256);
      }
      repairChecksums(bytes);
      const tar = Readable.from([bytes], {objectMode: false});
      const error = await unpackTo(join(root, 'out'), tar, limits).catch((thrown: unknown) => thrown);
      if (error instanceof Error) {
        expect(['GUEST_PROTOCOL', 'GUEST_FAILED'], `round ${round}: ${error}`).toContain(
          'code' in error ? error.code : '',
        );
      }
      const left = await readdir(root);
      expect(left.filter((name) => name !== 'out')).toEqual([]);
    }
  });
});

/** Damage behind a valid checksum goes deeper. */
const repairChecksums = (bytes: Buffer): void => {
  for (let at = 0; at + BLOCK_BYTES <= bytes.length; at += BLOCK_BYTES) {
    const block = bytes.subarray(at, at + BLOCK_BYTES);
    if (block.toString('latin1', 257, 262) !== 'ustar') continue;
    const sum = block.reduce((all, byte, index) => all + (index >= 148 && index < 156 ? 32 : byte), 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  }
};
