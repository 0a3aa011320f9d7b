import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {createImageStore} from '../../src/image/create-image-store.js';
import {defaultLimits} from '../../src/image/image-store.js';
import type {GuestImage} from '../../src/model/guest-image.js';
import {silentProgress} from '../../src/model/progress.js';
import {readErofs, statErofs} from '../image/erofs.js';
import {recordProgress} from '../image/record-progress.js';
import {createTestStore, type TestStore} from '../image/stored-image.js';
import {rootfsOf} from '../support/rootfs.js';

const recipe = 'scripts/images/python-hello';
const work = () => ({progress: silentProgress, signal: new AbortController().signal});

describe("a language's image", () => {
  let there: TestStore;
  let python: GuestImage;
  const heard = recordProgress();
  beforeAll(async () => {
    there = await createTestStore();
    python = await there.store.buildLanguage({...work(), language: 'python', progress: heard.progress});
  });
  afterAll(() => there.remove());

  it("is that language's default from then on, and needs no network", async () => {
    const reference = there.store.resolve({language: 'python'});
    expect(reference).toMatch(/^localhost\/agent\/python:(?:debian|ubuntu)-/);
    expect(await there.store.ensure({...work(), language: 'python', reference})).toEqual(python);
    expect(there.store.list().images).toMatchObject([{digest: python.digest, defaultFor: ['python']}]);
    await expectTidy(there);
  });

  it('has shell, coreutils, ps and python, owned by root, and no package lists', async () => {
    const {config} = python;
    const rootfs = rootfsOf(python);
    for (const path of [
      '/usr/bin/dash',
      '/usr/bin/ls',
      '/usr/bin/ps',
      '/usr/bin/python3',
      '/usr/bin/python',
    ]) {
      expect(statErofs(rootfs, path), path).toMatchObject({uid: 0, gid: 0});
    }
    expect(statErofs(rootfs, '/etc/ssl/certs/ca-certificates.crt')).toMatchObject({type: 'regular file'});
    expect(statErofs(rootfs, '/usr/share/doc/bash')).toBeUndefined();
    expect(statErofs(rootfs, '/var/cache/apt/pkgcache.bin')).toBeUndefined();
    expect(config).toMatchObject({workdir: '/', user: ''});
    expect(config.env).toEqual(expect.arrayContaining([expect.stringMatching(/^PATH=/), 'LANG=C.UTF-8']));
  });

  it('tells what it does while it is made', () => {
    expect(heard.said[0]).toMatch(/^building localhost\/agent\/python:/);
    for (const sign of [
      /^fetched \d+ files$/,
      /^unpacking bash$/,
      /^setting up /,
      /^making the root image$/,
    ]) {
      expect(heard.said).toContainEqual(expect.stringMatching(sign));
    }
  });

  it('is the base of an image of the user’s own', async () => {
    const image = await there.store.buildContainerfile({
      ...work(),
      file: join(recipe, 'Containerfile'),
      context: recipe,
      tag: 'python-hello',
      buildArgs: [`BASE=${python.references[0]}`],
    });
    expect(image.references).toEqual(['localhost/python-hello:latest']);
    expect(image.config.workdir).toBe('/app');
    expect(image.config.env).toEqual([...python.config.env, 'GREETING=hello']);
    expect(statErofs(rootfsOf(image), '/app/__pycache__')).toMatchObject({type: 'directory', uid: 0});
    expect(statErofs(rootfsOf(image), '/usr/bin/python3')).toMatchObject({uid: 0});
    await expectTidy(there);
  });
});

describe('a build from packages that does not come to its end', () => {
  let there: TestStore;
  beforeEach(async () => {
    there = await createTestStore();
  });
  afterEach(() => there.remove());

  it('because it was interrupted leaves nothing', async () => {
    const interrupt = new AbortController();
    const building = there.store.buildLanguage({
      language: 'python',
      signal: interrupt.signal,
      progress: {step: () => {}, detail: () => interrupt.abort()},
    });
    await expect(building).rejects.toMatchObject({code: 'INTERRUPTED'});
    await expectTidy(there);
  });

  it('because its time is up leaves nothing', async () => {
    await there.remove();
    there = await createTestStore({...defaultLimits, buildMs: 2000});
    await expect(there.store.buildLanguage({...work(), language: 'python'})).rejects.toMatchObject({
      code: 'DEADLINE',
      message: expect.stringContaining('building python took longer than'),
    });
    await expectTidy(there);
  });

  it('because packages cannot be fetched shows the last lines', async () => {
    const {imagesFolder, containersFolder} = there;
    const nowhere = 'http://127.0.0.1:1';
    const env = {...process.env, http_proxy: nowhere, https_proxy: nowhere};
    const options = {
      imagesFolder,
      containersFolder,
      env,
      withLock: <T>(_: string, make: () => Promise<T>) => make(),
    };
    const error = createImageStore(options).buildLanguage({...work(), language: 'python'});
    await expect(error).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      details: expect.arrayContaining([expect.stringContaining('127.0.0.1')]),
      hints: expect.arrayContaining([expect.stringContaining('proxy')]),
    });
    await expectTidy(there);
  });

  it('because a program is missing says how to get it', async () => {
    const {imagesFolder, containersFolder} = there;
    const options = {
      imagesFolder,
      containersFolder,
      withLock: <T>(_: string, make: () => Promise<T>) => make(),
    };
    const store = createImageStore({...options, env: {PATH: '/nonexistent'}});
    await expect(store.buildLanguage({...work(), language: 'python'})).rejects.toMatchObject({
      code: 'PROCESS_FAILED',
      message: expect.stringContaining("'mmdebstrap'"),
      hints: ['run: agent setup', expect.any(String)],
    });
    expect(await readdir(there.root)).toEqual([]);
  });
});

describe('a Containerfile', () => {
  let there: TestStore;
  let context: string;
  beforeEach(async () => {
    there = await createTestStore();
    context = await mkdtemp(join(tmpdir(), 'agent-context-'));
    await writeFile(join(context, 'hello'), 'hello from the context');
  });
  afterEach(async () => {
    await there.remove();
    await rm(context, {recursive: true, force: true});
  });

  const build = async (text: string, buildArgs: string[] = []) => {
    const file = join(context, 'Containerfile');
    await writeFile(file, text);
    return await there.store.buildContainerfile({...work(), file, context, tag: 'own:1', buildArgs});
  };

  it('needs no registry and no shell to build from nothing', async () => {
    const image = await build('FROM scratch\nCOPY hello /hello\nENV A=b\nWORKDIR /w\nUSER 5:6\n');
    expect(image).toMatchObject({
      references: ['localhost/own:1'],
      architecture: process.arch,
      config: {workdir: '/w', user: '5:6'},
    });
    expect(image.config.env).toContain('A=b');
    expect(readErofs(rootfsOf(image), 'hello')).toBe('hello from the context');
    expect(there.store.resolve({reference: 'own:1'})).toBe('localhost/own:1');
    await expectTidy(there);
  });

  it.each([
    ['a step that fails', 'FROM scratch\nCOPY hello /hello\nRUN ["/none"]\n', /RUN/],
    ['a file that is not in the context', 'FROM scratch\nCOPY ../../etc/passwd /x\n', /COPY|copier|passwd/],
    ['nonsense', 'FRM scratch\n', /FROM/],
    ['nothing', '', /./],
  ])('with %s fails with the last lines', async (_, text, sign) => {
    await expect(build(text)).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: "The image 'localhost/own:1' could not be built.",
      details: expect.arrayContaining([expect.stringMatching(sign)]),
    });
    await expectTidy(there);
  });

  it('names a base that should be here and is not', async () => {
    await expect(build('ARG BASE\nFROM $BASE\n', ['BASE=localhost/none:1'])).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      hints: ['not here: localhost/none:1; agent image list shows what is'],
    });
  });

  it.each([
    [{file: 'none'}, 'BUILD_FAILED', /Containerfile '.*none' cannot be read/],
    [{context: '/none'}, 'BUILD_FAILED', /folder '\/none' does not exist/],
    [{tag: 'docker.io/a/b'}, 'USAGE', /made here/],
    [{buildArgs: ['--x']}, 'USAGE', /build argument '--x'/],
  ])('is refused with %j before anything is made', async (wrong, code, message) => {
    const options = {...work(), file: join(recipe, 'Containerfile'), context: recipe, tag: 'own', ...wrong};
    await expect(there.store.buildContainerfile(options)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(await readdir(there.root)).toEqual([]);
  });
});

/** No temp folder, no storage, no mount. */
const expectTidy = async ({imagesFolder, containersFolder, root}: TestStore): Promise<void> => {
  const names = [...(await readdir(imagesFolder)), ...(await readdir(containersFolder))];
  expect(names.filter((name) => !/^(?:refs|sha256-.*|.*\.conf|policy\.json)$/.test(name))).toEqual([]);
  expect(await readFile('/proc/self/mounts', 'utf8')).not.toContain(root);
};
