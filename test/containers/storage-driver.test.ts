import {chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {prepareContainers} from '../../src/containers/settings.js';
import {chooseDriver, driverOf, storageFlags} from '../../src/containers/storage-driver.js';

const isRoot = process.getuid?.() === 0;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-driver-'));
});
afterEach(() => rm(folder, {recursive: true, force: true}));

describe('chooseDriver', () => {
  it('takes one with which the real buildah works here, and leaves nothing', async () => {
    expect(await chooseDriver({isRoot, folder, env: process.env})).toMatch(/^(?:overlay|vfs)$/);
    expect(await readdir(folder)).toEqual([]);
    expect(await readFile('/proc/self/mounts', 'utf8')).not.toContain(folder);
  });

  it('takes overlay where a container can be made and mounted with it', async () => {
    const choose = await withBuildah('printf "%s\\n" "$*" >> "$ASKED"');
    expect(await choose()).toBe('overlay');
    const [from, mount] = (await readFile(join(folder, 'asked'), 'utf8')).trim().split('\n');
    expect(from).toMatch(/--root=\S+\/storage --runroot=\S+\/run --storage-driver=overlay from .*scratch$/);
    expect(mount).toMatch(/--storage-driver=overlay mount probe$/);
  });

  it.each([
    ['make', 'exit 125'],
    ['mount', 'case "$*" in *mount*) exit 1;; esac'],
  ])('takes vfs where overlay cannot %s one', async (_, body) => {
    const choose = await withBuildah(body);
    expect(await choose()).toBe('vfs');
    expect(await readdir(join(folder, 'tried'))).toEqual([]);
  });

  it('takes vfs where there is no buildah', async () => {
    expect(await chooseDriver({isRoot, folder, env: {PATH: join(folder, 'none')}})).toBe('vfs');
    expect(await readdir(folder)).toEqual([]);
  });
});

it.each(['overlay', 'vfs'] as const)('reads %s back from the settings', async (driver) => {
  const containers = await prepareContainers({folder, env: {}, driver: async () => driver});
  expect(await driverOf(containers)).toBe(driver);
});

it('names a storage of its own', () => {
  expect(storageFlags('/x', 'vfs')).toEqual([
    '--root=/x/storage',
    '--runroot=/x/run',
    '--storage-driver=vfs',
  ]);
});

/** A choice with a buildah that does this. Its `unshare` makes one root, as the real one does. */
const withBuildah = async (body: string): Promise<() => Promise<'overlay' | 'vfs'>> => {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const unshare = 'if [ "$1" = unshare ]; then shift 2; exec unshare --map-root-user -- "$@"; fi';
  await writeFile(join(bin, 'buildah'), `#!/bin/sh\n${unshare}\n${body}\n`);
  await chmod(join(bin, 'buildah'), 0o755);
  const env = {...process.env, PATH: `${bin}:${process.env.PATH}`, ASKED: join(folder, 'asked')};
  return () => chooseDriver({isRoot, folder: join(folder, 'tried'), env});
};
