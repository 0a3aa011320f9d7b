/** Pulls into buildah's storage that come to nothing, as on macOS, with the real buildah. */
import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {defaultLimits} from '../../src/image/image-store.js';
import {storageName} from '../../src/model/guest-image.js';
import {makeImage, makeIndex, type OciImage, writeLayout} from '../image/oci-image.js';
import {startRegistry, type TestRegistry} from '../image/oci-registry.js';
import {processesNaming, saysLayer, startPull, until} from '../image/pull-process.js';
import {openVolumeStore, type VolumeStore} from '../image/volume-store.js';
import {endProcess} from '../support/end-process.js';

const other = process.arch === 'x64' ? 'arm64' : 'amd64';

let registry: TestRegistry;
let image: OciImage;
let there: VolumeStore;
beforeAll(async () => {
  registry = await startRegistry();
  image = await makeImage();
  registry.serve('owner/whole', '1', image);
});
afterAll(() => registry.close());
beforeEach(async () => {
  there = await openVolumeStore({...defaultLimits, contactMs: 3000, pullMs: 20_000});
});
afterEach(() => there.close());

const nobody = () => [];

describe('a pull that fails', () => {
  it.each([
    ['an unknown tag', 'owner/whole:2', 'IMAGE_NOT_FOUND'],
    ['no access', 'denied:1', 'IMAGE_NOT_FOUND'],
    ['a registry that has trouble', 'busy:1', 'REGISTRY_UNREACHABLE'],
    ['a registry that never answers', 'silent:1', 'REGISTRY_UNREACHABLE'],
    ['a layer with other bytes', 'broken:1', 'IMAGE_UNUSABLE'],
    ['a layer cut in half', 'cut:1', 'IMAGE_UNUSABLE'],
    ['an image for another machine', 'foreign:1', 'IMAGE_UNUSABLE'],
    ['an index without this machine', 'foreign-index:1', 'IMAGE_UNUSABLE'],
  ])('for %s says so, and leaves nothing', async (_, name, code) => {
    const foreign = await makeImage({architecture: other});
    for (const fault of ['denied', 'busy', 'silent', 'broken', 'cut'] as const)
      registry.serve(fault, '1', image, fault);
    registry.serve('foreign', '1', foreign);
    registry.serve('foreign-index', '1', makeIndex([{image: foreign, architecture: other}]));
    const reference = `${registry.host}/${name}`;
    await expect(there.pull(reference)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(reference),
      details: [expect.any(String)],
    });
    expect(await there.storedNames()).toEqual([]);
    there.expectTidy(0);
  });

  it.each(['oci', 'oci-archive'])(
    'for a file with an image for another machine, from %s, does not keep it',
    async (kind) => {
      const layout = join(there.root, 'foreign');
      await writeLayout(layout, '1', await makeImage({architecture: other}));
      execFileSync('tar', ['--create', `--file=${layout}.tar`, `--directory=${layout}`, '.']);
      await expect(
        there.pull(kind === 'oci' ? `oci:${layout}:1` : `oci-archive:${layout}.tar`),
      ).rejects.toMatchObject({
        code: 'IMAGE_UNUSABLE',
        message: expect.stringContaining('is not made for this machine'),
      });
      expect(await there.storedNames()).toEqual([]);
      there.expectTidy(0);
    },
  );

  it('because it was interrupted leaves nothing, and the next one works', async () => {
    registry.serve('stalled', '1', image, 'stalled');
    const interrupt = new AbortController();
    const pulling = there.store.pull({
      reference: `${registry.host}/stalled:1`,
      signal: interrupt.signal,
      progress: {step: () => {}, detail: (text) => text.startsWith('layer') && interrupt.abort()},
    });
    await expect(pulling).rejects.toMatchObject({code: 'INTERRUPTED'});
    expect(await there.storedNames()).toEqual([]);
    there.expectTidy(0);
    registry.serve('stalled', '1', image);
    expect(storageName(await there.pull(`${registry.host}/stalled:1`))).toBe((await there.storedNames())[0]);
  });

  it('because it was killed leaves nothing that counts, and the next one works beside what is left', async () => {
    registry.serve('stalled', '1', image, 'stalled');
    const child = startPull(there.root, `${registry.host}/stalled:1`, there.volume);
    await saysLayer(child);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    // Nothing on macOS ends a program with its parent.
    const left = processesNaming(there.volume);
    expect(left).not.toEqual([]);
    registry.serve('stalled', '1', image);
    const pulled = await there.pull(`${registry.host}/stalled:1`);
    expect(await there.storedNames()).toEqual([storageName(pulled)]);
    for (const pid of left) endProcess(pid);
    await until(() => processesNaming(there.volume).length === 0);
    await there.store.reap();
    there.expectTidy(1);
  });

  it('after everything was stored is made good by the next one', async () => {
    registry.serve('once', '1', image);
    const reference = `${registry.host}/once:1`;
    await there.pull(reference);
    await there.store.remove({reference, usedBy: nobody});
    await there.buildah('pull', '--tls-verify=false', `docker://${reference}`);
    const pulled = await there.pull(reference);
    expect(await there.storedNames()).toContain(storageName(pulled));
    expect(there.store.find(reference)).toEqual(pulled);
  });
});
