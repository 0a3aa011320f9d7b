import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {expect} from 'vitest';
import {encodeHeader} from '../../src/guest/tar-header.js';
import {type Unpacked, unpackTo} from '../../src/guest/tar-unpack.js';
import {endOfArchive, paddingFor} from '../../src/guest/tar-writer.js';
import {useTempFolder} from './temp-folder.js';

export const tempFolder = useTempFolder();
export const limits = {maxBytes: 10_000_000, maxEntries: 1000};

export interface Entry {
  readonly name: string | Buffer;
  readonly type?: string;
  readonly content?: string;
  readonly size?: number;
  readonly mode?: number;
  readonly target?: string;
  readonly mtime?: number;
}

export const entry = ({
  name,
  type = '0',
  content = '',
  size,
  mode = 0o644,
  target,
  mtime = 0,
}: Entry): Buffer =>
  Buffer.concat([
    encodeHeader({
      name: Buffer.from(name),
      type,
      size: size ?? Buffer.byteLength(content),
      mode,
      mtime,
      ...(target === undefined ? {} : {target: Buffer.from(target)}),
    }),
    Buffer.from(content),
    paddingFor(Buffer.byteLength(content)),
  ]);

export const pax = (...records: Buffer[]): Buffer =>
  entry({name: 'PaxHeader', type: 'x', content: Buffer.concat(records).toString('latin1')});

export const archive = (...parts: readonly (Entry | Buffer)[]): Readable =>
  Readable.from(
    [Buffer.concat([...parts.map((part) => (Buffer.isBuffer(part) ? part : entry(part))), endOfArchive])],
    {objectMode: false},
  );

/** Unpacks beside a file that must survive, and tells what is in the folder then. */
export const unpack = async (
  tar: Readable,
  more: Partial<typeof limits> = {},
): Promise<{unpacked: Unpacked; names: string[]; root: string}> => {
  const root = await tempFolder();
  await writeFile(join(root, 'victim'), 'untouched');
  const unpacked = await unpackTo(join(root, 'out'), tar, {...limits, ...more});
  expect(await readFile(join(root, 'victim'), 'utf8')).toBe('untouched');
  expect((await readdir(root)).sort()).toEqual(['out', 'victim']);
  return {unpacked, names: (await readdir(join(root, 'out'), {recursive: true})).sort(), root};
};

export const failure = async (tar: Readable, more: Partial<typeof limits> = {}): Promise<unknown> => {
  const root = await tempFolder();
  await mkdir(join(root, 'out'));
  await writeFile(join(root, 'out', 'earlier'), 'kept');
  const error = await unpackTo(join(root, 'out'), tar, {...limits, ...more}).then(
    () => new Error('it was unpacked'),
    (thrown: unknown) => thrown,
  );
  expect(await readFile(join(root, 'out', 'earlier'), 'utf8')).toBe('kept');
  expect(await readdir(root)).toEqual(['out']);
  expect(tar.destroyed).toBe(true);
  return error;
};

export const hostile = {code: 'GUEST_PROTOCOL', message: expect.stringContaining('its archive')};
