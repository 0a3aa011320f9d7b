import {readdir, truncate} from 'node:fs/promises';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {rootfsPath} from '../../src/image/layout.js';
import {addImage, createTestStore, type TestStore} from './stored-image.js';

let there: TestStore;
beforeEach(async () => {
  there = await createTestStore();
});
afterEach(() => there.remove());

const nobody = () => [];

it('takes the reference, and the image with the last one', async () => {
  const references = ['docker.io/library/alpine:3', 'localhost/a:1'];
  const digest = await addImage(there, {content: 'one', references});
  expect(await there.store.remove({reference: 'alpine:3', usedBy: nobody})).toEqual({
    untagged: ['docker.io/library/alpine:3'],
    deletedDigest: null,
  });
  expect(there.store.find(digest)?.references).toEqual(['localhost/a:1']);
  expect(await there.store.remove({reference: 'localhost/a:1', usedBy: nobody})).toEqual({
    untagged: ['localhost/a:1'],
    deletedDigest: digest,
  });
  expect(await readdir(there.imagesFolder)).toEqual(['refs']);
});

it('takes all references with a digest', async () => {
  const references = ['localhost/a:1', 'localhost/b:1'];
  const digest = await addImage(there, {content: 'one', references});
  const removed = await there.store.remove({reference: digest.slice(7, 20), usedBy: nobody});
  expect(removed).toEqual({untagged: references, deletedDigest: digest});
});

it('keeps an image that is used, and its last reference', async () => {
  const digest = await addImage(there, {content: 'one', references: ['localhost/a:1', 'localhost/b:1']});
  const usedBy = (asked: string) => (asked === digest ? ['python-1'] : []);
  await there.store.remove({reference: 'localhost/a:1', usedBy});
  await expect(there.store.remove({reference: 'localhost/b:1', usedBy})).rejects.toMatchObject({
    code: 'IMAGE_IN_USE',
    message: "The image 'localhost/b:1' is used by python-1.",
  });
  expect(there.store.find('localhost/b:1')?.digest).toBe(digest);
});

it('takes a damaged image too', async () => {
  const digest = await addImage(there, {content: 'one', references: ['localhost/a:1']});
  await truncate(rootfsPath(there.imagesFolder, digest), 1);
  await there.store.remove({reference: 'localhost/a:1', usedBy: nobody});
  expect(there.store.list()).toEqual({images: [], broken: []});
});

it('prunes what has no name and no user', async () => {
  const [named, used, left] = [
    await addImage(there, {content: 'named', references: ['localhost/a:1']}),
    await addImage(there, {content: 'used', references: []}),
    await addImage(there, {content: 'left', references: []}),
  ];
  const usedBy = (digest: string) => (digest === used ? ['python-1'] : []);
  expect(await there.store.prune({usedBy})).toEqual([left]);
  const digests = there.store.list().images.map(({digest}) => digest);
  expect(digests.sort()).toEqual([named, used].sort());
});

it.each([
  ['alpine', 'IMAGE_NOT_FOUND'],
  ['../..', 'USAGE'],
  ['', 'USAGE'],
])('refuses %j', async (reference, code) => {
  await expect(there.store.remove({reference, usedBy: nobody})).rejects.toMatchObject({code});
});
