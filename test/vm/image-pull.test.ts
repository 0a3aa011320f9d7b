import {execFileSync} from 'node:child_process';
import {readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {defaultLimits} from '../../src/image/image-store.js';
import {silentProgress} from '../../src/model/progress.js';
import {readErofs, statErofs} from '../image/erofs.js';
import {makeImage, makeIndex, type OciImage, writeLayout} from '../image/oci-image.js';
import {startRegistry, type TestRegistry} from '../image/oci-registry.js';
import {processesNaming, saysLayer, startPull, until} from '../image/pull-process.js';
import {recordProgress} from '../image/record-progress.js';
import {createTestStore, type TestStore} from '../image/stored-image.js';
import {rootfsOf} from '../support/rootfs.js';

const host = process.arch === 'x64' ? 'amd64' : process.arch;
const other = host === 'amd64' ? 'arm64' : 'amd64';
const limits = {...defaultLimits, contactMs: 3000, pullMs: 20_000};

let registry: TestRegistry;
let image: OciImage;
let there: TestStore;
beforeAll(async () => {
  registry = await startRegistry();
  image = await makeImage({
    layers: [
      [
        {name: 'hello', content: 'from below'},
        {name: 'app', type: 'directory', mode: 0o755, uid: 5, gid: 6},
        {name: 'app/mine', content: 'x', uid: 1000, gid: 1001},
        {name: 'etc', type: 'symlink', linkname: '/etc'},
        {name: 'fifo', type: 'fifo'},
        {name: 'big', content: 'x'.repeat(300_000)},
      ],
      [{name: 'hello', content: 'from above'}],
    ],
    config: {Env: ['PATH=/bin', 'A=b c'], WorkingDir: '/app', User: 'nobody:nogroup'},
  });
  registry.serve('owner/whole', '1', image);
});
afterAll(() => registry.close());
beforeEach(async () => {
  there = await createTestStore(limits);
});
afterEach(() => there.remove());

const pull = (reference: string, signal = new AbortController().signal) =>
  there.store.pull({reference, progress: silentProgress, signal});

describe('an image in a registry', () => {
  it('becomes one root image, with its digest, its settings and its owners', async () => {
    const {progress, said} = recordProgress();
    const reference = `${registry.host}/owner/whole:1`;
    const signal = new AbortController().signal;
    const pulled = await there.store.pull({reference, progress, signal});
    expect(pulled).toMatchObject({
      digest: image.manifest.digest,
      references: [reference],
      architecture: process.arch,
      config: {env: ['PATH=/bin', 'A=b c'], workdir: '/app', user: 'nobody:nogroup'},
    });
    expect(statErofs(rootfsOf(pulled), '/app')).toMatchObject({uid: 5, gid: 6, type: 'directory'});
    expect(statErofs(rootfsOf(pulled), '/app/mine')).toMatchObject({uid: 1000, gid: 1001});
    expect(said).toContain(`pulling ${reference}`);
    expect(said).toEqual(expect.arrayContaining(['layer 1', 'layer 2', 'making the root image']));
    expectOnlyImages(1);
  });

  it('reads nothing of this machine through its links', async () => {
    const rootfs = rootfsOf(await pull(`${registry.host}/owner/whole:1`));
    expect(statErofs(rootfs, '/etc')).toMatchObject({type: 'symlink file'});
    expect(readErofs(rootfs, 'hello')).toBe('from above');
    expect(readFileSync(rootfs).includes('root:x:0:0')).toBe(false);
  });

  it('is made once for all references that lead to it', async () => {
    const first = await pull(`${registry.host}/owner/whole:1`);
    const {ino} = statSync(rootfsOf(first));
    const second = await pull(`${registry.host}/owner/whole@${image.manifest.digest}`);
    expect(second.references).toHaveLength(2);
    expect(statSync(rootfsOf(second)).ino).toBe(ino);
    expectOnlyImages(1);
  });

  it('is not asked for again by ensure, and pulled once by two at the same time', async () => {
    const ensure = () =>
      there.store.ensure({
        reference: `${registry.host}/owner/whole:1`,
        progress: silentProgress,
        signal: new AbortController().signal,
      });
    const before = registry.requests.length;
    await Promise.all([ensure(), ensure()]);
    const asked = registry.requests.slice(before);
    expect(asked.filter((line) => line.endsWith(image.layers[0]?.digest ?? '?'))).toHaveLength(1);
    await ensure();
    expect(registry.requests.slice(before)).toEqual(asked);
  });

  it("is this machine's out of an index of several", async () => {
    const foreign = await makeImage({architecture: other});
    const index = makeIndex([
      {image: foreign, architecture: other},
      {image, architecture: host},
    ]);
    registry.serve('owner/index', '1', index);
    expect((await pull(`${registry.host}/owner/index:1`)).digest).toBe(image.manifest.digest);
  });
});

describe('a pull that fails', () => {
  it.each([
    ['an unknown tag', 'owner/whole:2', 'IMAGE_NOT_FOUND'],
    ['an unknown repository', 'owner/none:1', 'IMAGE_NOT_FOUND'],
    ['no access', 'denied:1', 'IMAGE_NOT_FOUND'],
    ['a registry that has trouble', 'busy:1', 'REGISTRY_UNREACHABLE'],
    ['a layer with other bytes', 'broken:1', 'IMAGE_UNUSABLE'],
    ['a layer cut in half', 'cut:1', 'IMAGE_UNUSABLE'],
    ['an image for another machine', 'foreign:1', 'IMAGE_UNUSABLE'],
    ['an index without this machine', 'foreign-index:1', 'IMAGE_UNUSABLE'],
  ])('for %s says so, and leaves nothing', async (_, name, code) => {
    const foreign = await makeImage({architecture: other});
    for (const fault of ['denied', 'busy', 'broken', 'cut'] as const)
      registry.serve(fault, '1', image, fault);
    registry.serve('foreign', '1', foreign);
    registry.serve('foreign-index', '1', makeIndex([{image: foreign, architecture: other}]));
    const reference = `${registry.host}/${name}`;
    const error = await pull(reference).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({code, message: expect.stringContaining(reference)});
    expect(error).toMatchObject({
      details: [expect.any(String)],
      hints: expect.arrayContaining([expect.any(String)]),
    });
    expectOnlyImages(0);
  });

  it('for nobody at that address ends at once, and names what to build instead', async () => {
    const gone = await startRegistry();
    await gone.close();
    const startedAt = Date.now();
    await expect(pull(`${gone.host}/a:1`)).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: `The registry ${gone.host} cannot be reached for '${gone.host}/a:1'.`,
      details: [expect.stringContaining('connection refused')],
      hints: [expect.stringContaining('agent image build python'), expect.stringContaining('proxy')],
    });
    expect(Date.now() - startedAt).toBeLessThan(15_000);
  });

  it('for a registry that never answers ends long before a slow image would', async () => {
    registry.serve('silent', '1', image, 'silent');
    await expect(pull(`${registry.host}/silent:1`)).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      details: ['no answer in 3 s'],
    });
    expectOnlyImages(0);
  });

  it('for a layer that never ends says what took too long', async () => {
    await there.remove();
    there = await createTestStore({...limits, pullMs: 4000});
    registry.serve('stalled', '1', image, 'stalled');
    await expect(pull(`${registry.host}/stalled:1`)).rejects.toMatchObject({
      code: 'DEADLINE',
      message: expect.stringContaining(`${registry.host}/stalled:1`),
    });
    expectOnlyImages(0);
  });

  it('because it was interrupted leaves nothing', async () => {
    registry.serve('stalled', '1', image, 'stalled');
    const interrupt = new AbortController();
    const pulling = there.store.pull({
      reference: `${registry.host}/stalled:1`,
      signal: interrupt.signal,
      progress: {step: () => {}, detail: (text) => text.startsWith('layer') && interrupt.abort()},
    });
    await expect(pulling).rejects.toMatchObject({code: 'INTERRUPTED'});
    expectOnlyImages(0);
  });

  it('because it was killed leaves no process and no mount, and the next command clears the rest', async () => {
    registry.serve('stalled', '1', image, 'stalled');
    const child = startPull(there.root, `${registry.host}/stalled:1`);
    await saysLayer(child);
    child.kill('SIGKILL');
    await until(() => processesNaming(there.root).length === 0);
    expect(readdirSync(there.imagesFolder).filter((name) => name.startsWith('.making-'))).toHaveLength(1);
    await there.store.reap();
    expectOnlyImages(0);
  });
});

it.each(['-x', '../..', 'dir:/etc', ''])('refuses %j before anything is made', async (reference) => {
  await expect(pull(reference)).rejects.toMatchObject({code: 'USAGE'});
  expect(readdirSync(there.root)).toEqual([]);
});

describe('an image in files', () => {
  it('is taken from a layout and from an archive', async () => {
    const layout = join(there.root, 'layout');
    await writeLayout(layout, '1', image);
    expect((await pull(`oci:${layout}:1`)).digest).toBe(image.manifest.digest);
    execFileSync('tar', ['--create', `--file=${layout}.tar`, `--directory=${layout}`, '.']);
    expect((await pull(`oci-archive:${layout}.tar`)).references).toEqual([
      `oci-archive:${layout}.tar`,
      `oci:${layout}:1`,
    ]);
  });

  it.each([['oci:/nonexistent:1'], ['oci-archive:/nonexistent.tar']])(
    'is missing at %s',
    async (reference) => {
      await expect(pull(reference)).rejects.toMatchObject({code: 'IMAGE_NOT_FOUND'});
    },
  );
});

it('of this machine that is not here is asked of nobody', async () => {
  await expect(pull('localhost/agent/none:1')).rejects.toMatchObject({
    code: 'IMAGE_NOT_FOUND',
    message: expect.stringContaining('localhost/agent/none:1'),
  });
});

/** That many images, no temp folder, no storage, no mount, no process. */
const expectOnlyImages = (count: number): void => {
  const names = readdirSync(there.imagesFolder).filter((name) => name !== 'refs');
  expect(names).toHaveLength(count);
  expect(names.filter((name) => !name.startsWith('sha256-'))).toEqual([]);
  expect(readdirSync(there.containersFolder).sort()).toEqual([
    'policy.json',
    'registries.conf',
    'storage.conf',
  ]);
  expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(there.root);
  expect(processesNaming(there.root)).toEqual([]);
};
