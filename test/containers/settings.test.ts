import {mkdtemp, readdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it, vi} from 'vitest';
import {prepareContainers} from '../../src/containers/settings.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-containers-'));
});
afterEach(() => rm(folder, {recursive: true, force: true}));

it('writes the three files once, whole and private', async () => {
  const driver = vi.fn(async () => 'overlay' as const);
  const {env, policyPath} = await prepareContainers({folder, env: {PATH: '/bin'}, driver});
  const names = ['policy.json', 'registries.conf', 'storage.conf'];
  expect((await readdir(folder)).sort()).toEqual(names);
  const before = await Promise.all(names.map((name) => stat(join(folder, name))));
  expect(before.map(({mode}) => mode & 0o777)).toEqual([0o600, 0o600, 0o600]);
  await prepareContainers({folder, env: {PATH: '/bin'}, driver});
  const after = await Promise.all(names.map((name) => stat(join(folder, name))));
  expect(after.map(({ino}) => ino)).toEqual(before.map(({ino}) => ino));
  expect(driver).toHaveBeenCalledOnce();
  expect(policyPath).toBe(join(folder, 'policy.json'));
  expect(env).toMatchObject({
    CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf'),
    CONTAINERS_REGISTRIES_CONF: join(folder, 'registries.conf'),
    CONTAINERS_POLICY: join(folder, 'policy.json'),
    KRUNVM_DATA_DIR: join(folder, 'krunvm'),
    PATH: '/bin:/usr/local/sbin:/usr/sbin:/sbin',
  });
});

it('is never seen half-written by others who start at the same time', async () => {
  const start = () => prepareContainers({folder, env: {}, driver: async () => 'vfs'});
  await Promise.all(Array.from({length: 20}, start));
  expect((await readdir(folder)).sort()).toEqual(['policy.json', 'registries.conf', 'storage.conf']);
  expect(await readFile(join(folder, 'storage.conf'), 'utf8')).toContain('driver = "vfs"');
});

it('mends what is not as it should be, and keeps the driver that was found', async () => {
  await writeFile(join(folder, 'storage.conf'), '[storage]\ndriver = "vfs"\ngraphroot = "/elsewhere"\n');
  await writeFile(join(folder, 'policy.json'), '');
  const driver = vi.fn(async () => 'overlay' as const);
  await prepareContainers({folder, env: {}, driver});
  const storage = await readFile(join(folder, 'storage.conf'), 'utf8');
  expect(storage).toContain('driver = "vfs"');
  expect(storage).toContain(`graphroot = "${folder}/storage"`);
  expect(await readFile(join(folder, 'policy.json'), 'utf8')).toContain('insecureAcceptAnything');
  expect(driver).not.toHaveBeenCalled();
});

it('leaves to the user what the user exported', async () => {
  const own = {
    CONTAINERS_STORAGE_CONF: '/own/storage.conf',
    CONTAINERS_REGISTRIES_CONF: '/own/registries.conf',
    CONTAINERS_POLICY: '/own/policy.json',
    KRUNVM_DATA_DIR: '/own/krunvm',
  };
  const {env, policyPath} = await prepareContainers({folder, env: own, driver: async () => 'overlay'});
  expect(env).toMatchObject(own);
  expect(policyPath).toBe('/own/policy.json');
  expect(await readdir(folder)).toEqual([]);
});
