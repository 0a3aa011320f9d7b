/** Images as macOS keeps them, with the real buildah. */
import {execFileSync} from 'node:child_process';
import {readdirSync} from 'node:fs';
import {rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {defaultLimits} from '../../src/image/image-store.js';
import {recordPath} from '../../src/image/layout.js';
import {type GuestImage, storageName} from '../../src/model/guest-image.js';
import {makeImage, makeIndex, type OciImage, writeLayout} from '../image/oci-image.js';
import {startRegistry, type TestRegistry} from '../image/oci-registry.js';
import {recordProgress} from '../image/record-progress.js';
import {openVolumeStore, type VolumeStore} from '../image/volume-store.js';

const host = process.arch === 'x64' ? 'amd64' : process.arch;
const other = host === 'amd64' ? 'arm64' : 'amd64';

let registry: TestRegistry;
let image: OciImage;
let second: OciImage;
let there: VolumeStore;
beforeAll(async () => {
  registry = await startRegistry();
  image = await makeImage({
    layers: [[{name: 'hello', content: 'from below'}], [{name: 'hello', content: 'from above'}]],
    config: {Env: ['PATH=/bin', 'A=b c'], WorkingDir: '/app', User: 'nobody:nogroup'},
  });
  second = await makeImage({layers: [[{name: 'second', content: 'x'.repeat(300_000)}]]});
  registry.serve('owner/whole', '1', image);
  registry.serve('owner/second', '1', second);
});
afterAll(() => registry.close());
beforeEach(async () => {
  there = await openVolumeStore(defaultLimits);
});
afterEach(() => there.close());

const nobody = () => [];

describe('an image in a registry', () => {
  it('stays in the storage under our name for it, with its digest and its settings', async () => {
    const {progress, said} = recordProgress();
    const reference = `${registry.host}/owner/whole:1`;
    const pulled = await there.store.pull({reference, progress, signal: new AbortController().signal});
    expect(pulled).toMatchObject({
      digest: image.manifest.digest,
      references: [reference],
      rootfsPath: null,
      architecture: process.arch,
      config: {env: ['PATH=/bin', 'A=b c'], workdir: '/app', user: 'nobody:nogroup'},
    });
    expect(pulled.sizeBytes).toBeGreaterThan(1000);
    expect(said).toEqual(
      expect.arrayContaining([`pulling ${reference}`, 'layer 1', 'layer 2', `pulled ${reference}`]),
    );
    expect(await there.storedNames()).toEqual([storageName(pulled)]);
    expect(await there.readStored(storageName(pulled), 'hello')).toBe('from above');
    there.expectTidy(1);
  });

  it('is pulled once by two at the same time, and beside another one', async () => {
    const before = registry.requests.length;
    const reference = `${registry.host}/owner/whole:1`;
    const [first, same, next] = await Promise.all([
      there.ensure(reference),
      there.ensure(reference),
      there.ensure(`${registry.host}/owner/second:1`),
    ]);
    const asked = registry.requests.slice(before);
    expect(asked.filter((line) => line.endsWith(image.layers[0]?.digest ?? '?'))).toHaveLength(1);
    expect(same).toEqual(first);
    expect(await there.storedNames()).toEqual([storageName(first), storageName(next)].sort());
    await there.ensure(reference);
    expect(registry.requests.slice(before)).toEqual(asked);
    there.expectTidy(2);
  });

  it('is one for all references that lead to it, also when they are pulled at the same time', async () => {
    const pulled = await Promise.all([
      there.pull(`${registry.host}/owner/whole:1`),
      there.pull(`${registry.host}/owner/whole@${image.manifest.digest}`),
    ]);
    expect(there.store.find(image.manifest.digest)?.references).toHaveLength(2);
    expect(await there.storedNames()).toEqual([storageName(pulled[0])]);
    there.expectTidy(1);
  });

  it("is this machine's out of an index of several", async () => {
    const foreign = await makeImage({architecture: other});
    const entries = [
      {image: foreign, architecture: other},
      {image, architecture: host},
    ];
    registry.serve('owner/index', '1', makeIndex(entries));
    expect((await there.pull(`${registry.host}/owner/index:1`)).digest).toBe(image.manifest.digest);
  });

  it('takes no name from an image of the user’s', async () => {
    const own = await there.pull(`${registry.host}/owner/second:1`);
    const names = ['localhost/own:1', `${registry.host}/owner/whole:1`];
    for (const name of names) await there.buildah('tag', storageName(own), name);
    const pulled = await there.pull(`${registry.host}/owner/whole:1`);
    expect(await there.storedNames()).toEqual([storageName(own), storageName(pulled), ...names].sort());
    expect(await there.readStored(names[1] ?? '', 'second')).toHaveLength(300_000);
    await there.store.remove({reference: own.digest, usedBy: nobody});
    expect(await there.storedNames()).toEqual([storageName(pulled), ...names].sort());
  });

  it('is pulled again after its tag has moved, and the old one stays until it is pruned', async () => {
    registry.serve('moving', '1', image);
    const old = await there.pull(`${registry.host}/moving:1`);
    registry.serve('moving', '1', second);
    const fresh = await there.pull(`${registry.host}/moving:1`);
    expect(await there.storedNames()).toEqual([storageName(old), storageName(fresh)].sort());
    expect(await there.store.prune({usedBy: nobody})).toEqual([old.digest]);
    expect(await there.storedNames()).toEqual([storageName(fresh)]);
  });
});

describe('an image in files', () => {
  it('is taken from a layout and from archives, whatever they call it', async () => {
    const layout = join(there.root, 'layout');
    await writeLayout(layout, '1', image);
    const pulled = await there.pull(`oci:${layout}:1`);
    expect(pulled.digest).toBe(image.manifest.digest);
    execFileSync('tar', ['--create', `--file=${layout}.tar`, `--directory=${layout}`, '.']);
    const [again, docker] = [`oci-archive:${layout}.tar`, `docker-archive:${layout}-docker.tar`];
    expect((await there.pull(again)).references).toEqual([again, `oci:${layout}:1`].sort());
    await there.buildah('push', storageName(pulled), `${docker}:docker.io/library/named:1`);
    const third = await there.pull(docker);
    expect(third.config).toEqual(pulled.config);
    expect(await there.storedNames()).toEqual([...new Set([storageName(pulled), storageName(third)])].sort());
    there.expectTidy(there.store.list().images.length);
  });

  it('is the one that was asked for, also when several are pulled at once', async () => {
    const [one, two] = [join(there.root, 'one'), join(there.root, 'two')];
    await writeLayout(one, 'same', image);
    await writeLayout(two, 'same', second);
    const both = await Promise.all([there.pull(`oci:${one}:same`), there.pull(`oci:${two}:same`)]);
    expect(both.map(({digest}) => digest)).toEqual([image.manifest.digest, second.manifest.digest]);
    expect(await there.storedNames()).toEqual(both.map(storageName).sort());
  });

  it('takes the place of no other, even if it bears its name', async () => {
    const target = await there.pull(`${registry.host}/owner/whole:1`);
    const layout = join(there.root, 'hostile');
    await writeLayout(layout, storageName(target), second);
    execFileSync('tar', ['--create', `--file=${layout}.tar`, `--directory=${layout}`, '.']);
    const hostile = await there.pull(`oci-archive:${layout}.tar`);
    expect(hostile.digest).toBe(second.manifest.digest);
    expect(await there.readStored(storageName(target), 'hello')).toBe('from above');
    expect(await there.storedNames()).toEqual([storageName(target), storageName(hostile)].sort());
  });
});

describe('an image that is here', () => {
  let pulled: GuestImage;
  const reference = () => `${registry.host}/owner/whole:1`;
  beforeEach(async () => {
    pulled = await there.pull(reference());
  });

  it('is gone from the storage with its last reference', async () => {
    const removed = await there.store.remove({reference: reference(), usedBy: nobody});
    expect(removed).toEqual({untagged: [reference()], deletedDigest: pulled.digest});
    expect(await there.storedNames()).toEqual([]);
    there.expectTidy(0);
    expect(readdirSync(join(there.volume, 'root', 'vfs', 'dir'))).toEqual([]);
  });

  it('stays while a container uses it, which is said, and goes afterwards', async () => {
    const container = await there.buildah('from', '--pull=never', storageName(pulled));
    const warnings: string[] = [];
    const onWarning = (text: string) => warnings.push(text);
    const removed = await there.store.remove({reference: reference(), usedBy: nobody, onWarning});
    expect(removed).toEqual({untagged: [reference()], deletedDigest: null});
    expect(warnings).toEqual([expect.stringContaining('a container')]);
    await there.buildah('rm', container);
    await there.store.remove({reference: pulled.digest, usedBy: nobody});
    expect(await there.storedNames()).toEqual([]);
    there.expectTidy(0);
  });

  it('is made again where its record is damaged', async () => {
    await writeFile(recordPath(there.imagesFolder, pulled.digest), '{');
    expect(there.store.list().broken).toMatchObject([{digest: pulled.digest}]);
    expect(await there.ensure(reference())).toMatchObject({digest: pulled.digest, references: [reference()]});
    expect(there.store.list().broken).toEqual([]);
    expect(await there.storedNames()).toEqual([storageName(pulled)]);
  });

  it('is pulled again where somebody has removed it from the storage', async () => {
    await there.buildah('rmi', storageName(pulled));
    expect(await there.ensure(reference())).toEqual(pulled);
    expect(await there.storedNames()).toEqual([storageName(pulled)]);
    await rm(join(there.volume, 'root'), {recursive: true});
    expect(await there.ensure(reference())).toEqual(pulled);
  });
});
