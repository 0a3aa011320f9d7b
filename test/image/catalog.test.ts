import {mkdir, readdir, readFile, rm, stat, truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {imageFolder, recordPath, refPath, refsFolder, rootfsPath} from '../../src/image/layout.js';
import {addImage, createTestStore, type TestStore} from './stored-image.js';

let there: TestStore;
beforeEach(async () => {
  there = await createTestStore();
});
afterEach(() => there.remove());

describe('an empty store', () => {
  it('is read without being made', async () => {
    expect(there.store.list()).toEqual({images: [], broken: []});
    expect(there.store.find('python')).toBeUndefined();
    expect(there.store.resolve({language: 'python'})).toBe('docker.io/library/python:3.11-slim');
    expect(await readdir(there.root)).toEqual([]);
  });

  it('resolves what was named, and nothing for nothing', () => {
    expect(there.store.resolve({language: 'typescript'})).toBe('docker.io/library/node:20-slim');
    expect(there.store.resolve({language: 'python', reference: 'alpine'})).toBe(
      'docker.io/library/alpine:latest',
    );
    expect(() => there.store.resolve({language: null, reference: null})).toThrow(
      /Neither a language nor an image/,
    );
    expect(() => there.store.resolve({reference: '-x'})).toThrow(/Invalid image reference '-x'/);
  });
});

describe('find', () => {
  it('takes every way to write a reference, and the beginning of a digest', async () => {
    const references = ['docker.io/library/alpine:3', 'ghcr.io/a/b:c'];
    const digest = await addImage(there, {content: 'one', references});
    for (const wanted of ['alpine:3', 'docker.io/alpine:3', 'ghcr.io/a/b:c', digest, digest.slice(7, 13)]) {
      expect(there.store.find(wanted)?.digest).toBe(digest);
    }
    expect(there.store.find('alpine')).toBeUndefined();
    expect(there.store.find('ffff')).toBeUndefined();
    expect(there.store.find(digest)).toMatchObject({references, sizeBytes: 3, architecture: process.arch});
  });

  it('takes a plain name first for one made here', async () => {
    const made = await addImage(there, {content: 'made', references: ['localhost/hello:latest']});
    await addImage(there, {content: 'pulled', references: ['docker.io/library/hello:latest']});
    expect(there.store.find('hello')?.digest).toBe(made);
    expect(there.store.resolve({reference: 'hello'})).toBe('localhost/hello:latest');
  });

  it('refuses a beginning that several digests share', async () => {
    const digest = (last: string) => `sha256:${'a'.repeat(63)}${last}`;
    await addImage(there, {content: 'one', references: [], digest: digest('1')});
    await addImage(there, {content: 'two', references: [], digest: digest('2')});
    expect(() => there.store.find('aaaaaa')).toThrow(/the beginning of 2 images' digests/);
    expect(there.store.find(digest('2'))?.digest).toBe(digest('2'));
  });
});

it("takes the image built here for the language's default, the newest first", async () => {
  const language = 'node';
  await addImage(there, {content: 'old', references: ['localhost/agent/node:debian-12'], language});
  const digest = await addImage(there, {
    content: 'new',
    references: ['localhost/agent/node:debian-13'],
    language,
  });
  expect(there.store.resolve({language: 'typescript'})).toBe('localhost/agent/node:debian-13');
  expect(there.store.resolve({language: 'python'})).toBe('docker.io/library/python:3.11-slim');
  const {images} = there.store.list();
  expect(images.map(({defaultFor}) => defaultFor)).toContainEqual(['node']);
  expect(images.filter(({defaultFor}) => defaultFor.length > 0).map((image) => image.digest)).toEqual([
    digest,
  ]);
});

describe('damage', () => {
  it.each([
    ['no record', (digest: string) => rm(recordPath(there.imagesFolder, digest))],
    ['half a record', (digest: string) => writeFile(recordPath(there.imagesFolder, digest), '{"schema":1')],
    ['no root image', (digest: string) => rm(rootfsPath(there.imagesFolder, digest))],
    ['half a root image', (digest: string) => truncate(rootfsPath(there.imagesFolder, digest), 1)],
    [
      'a folder for a record',
      async (digest: string) => {
        await rm(recordPath(there.imagesFolder, digest));
        await mkdir(recordPath(there.imagesFolder, digest));
      },
    ],
  ])('with %s is listed with its reason, beside the whole images', async (_, damage) => {
    const whole = await addImage(there, {content: 'whole', references: ['localhost/a:1']});
    const digest = await addImage(there, {content: 'broken', references: ['localhost/b:1']});
    await damage(digest);
    const {images, broken} = there.store.list();
    expect(images.map((image) => image.digest)).toEqual([whole]);
    expect(broken).toMatchObject([{digest, references: ['localhost/b:1']}]);
    expect(broken[0]?.problem).not.toBe('');
    expect(there.store.find('localhost/b:1')).toBeUndefined();
  });

  it('makes way for the same image made again', async () => {
    const image = {content: 'same', references: ['localhost/a:1']};
    const digest = await addImage(there, image);
    await truncate(rootfsPath(there.imagesFolder, digest), 1);
    expect(await addImage(there, image)).toBe(digest);
    expect(there.store.find('localhost/a:1')?.sizeBytes).toBe(4);
    expect((await readdir(imageFolder(there.imagesFolder, digest))).sort()).toEqual([
      'image.json',
      'rootfs.erofs',
    ]);
  });

  it('of a reference only hides that reference', async () => {
    const digest = await addImage(there, {content: 'one', references: ['localhost/a:1', 'localhost/b:1']});
    await writeFile(refPath(there.imagesFolder, 'localhost/a:1'), 'x');
    await writeFile(join(there.imagesFolder, 'stray'), '');
    expect(there.store.find(digest)?.references).toEqual(['localhost/b:1']);
  });
});

it('keeps everything to the user', async () => {
  const digest = await addImage(there, {content: 'one', references: ['localhost/a:1']});
  const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
  const {imagesFolder} = there;
  for (const folder of [imagesFolder, imageFolder(imagesFolder, digest), refsFolder(imagesFolder)]) {
    expect(await modeOf(folder)).toBe('700');
  }
  for (const file of [
    recordPath(imagesFolder, digest),
    rootfsPath(imagesFolder, digest),
    refPath(imagesFolder, 'localhost/a:1'),
  ]) {
    expect(await modeOf(file)).toBe('600');
  }
});

it('finds a reference whose name is too long for a file name', async () => {
  const long = `localhost/${'a'.repeat(200)}`;
  await addImage(there, {content: 'one', references: [`${long}b:1`]});
  const digest = await addImage(there, {content: 'two', references: [`${long}c:1`]});
  expect(there.store.find(`${long}c:1`)?.digest).toBe(digest);
  expect(await readFile(refPath(there.imagesFolder, `${long}c:1`), 'utf8')).toContain(digest);
});
