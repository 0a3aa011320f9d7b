/** krunvm opens and mounts in a guest's root folder as the host's user, and follows links: none of a guest's may be there. */
import {execFileSync} from 'node:child_process';
import {mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, afterEach, beforeEach, describe, expect, it} from 'vitest';
import {rootfsPath} from '../../src/image/layout.js';
import {useKrunvm} from './krunvm-fixture.js';
import {addSmallImage} from './krunvm-image.js';
import {containerOf, isRoot, krunvmByHand, mountsBelow, scriptByHand} from './krunvm-traces.js';

const fixture = useKrunvm();
const {state, exec, stop, create} = fixture;
const withVolumes = {env: {AGENT_ENABLE_GUEST_VOLUMES: '1'}};

/** What krunvm takes for files of its own, and for folders to mount in. */
const files = ['.agent', '.krunvm.lock', '.krunvm-mount.sh', '.krun_config.json', 'etc/resolv.conf'];
const folders = ['in', 'out', 'persist'];

/** The host's, which the links lead to. */
const victims = join(state.path, 'victims');
const victimOf = (name: string): string => join(victims, name.replace('/', '-'));

const makeVictims = (): void => {
  for (const point of mountsBelow(victims)) execFileSync('umount', [point]);
  rmSync(victims, {recursive: true, force: true});
  for (const folder of [...folders, 'etc']) mkdirSync(victimOf(folder), {recursive: true});
  for (const file of files) writeFileSync(victimOf(file), 'precious');
};
beforeEach(makeVictims);
afterAll(makeVictims);

/** What has become other than it was. */
const harm = (): readonly string[] => {
  const found = readdirSync(victims, {recursive: true, encoding: 'utf8'}).filter((name) => {
    const path = join(victims, name);
    return statSync(path).isFile() && readFileSync(path, 'utf8') !== 'precious';
  });
  return [...found, ...mountsBelow(victims).map((point) => point.slice(victims.length + 1))].sort();
};

/** Puts links to the host's files in the place of these. */
const plant = (root: string, names: readonly string[]): void => {
  for (const name of names) {
    rmSync(join(root, name), {recursive: true, force: true});
    symlinkSync(victimOf(name), join(root, name));
  }
};

it('links that a guest has left are not followed', async () => {
  const id = await create(['--persist'], withVolumes);
  const links = files.map((name) => `rm -f /${name}; ln -s ${victimOf(name)} /${name}`);
  expect((await exec(id, links.join('; '))).code).toBe(0);
  await stop(id);
  // What is mounted cannot be replaced from inside.
  plant(scriptByHand(fixture, 'buildah mount "$1"', [containerOf(id)]).trim(), folders);
  expect(krunvmByHand(fixture, id, ['start', id, '/bin/cat']).status).toBe(0);
  expect(harm()).toEqual(['.krunvm.lock', ...(isRoot ? folders : [])]);

  makeVictims();
  const result = await exec(id, 'echo shared > /persist/file; ls -d /in /out /persist');
  expect({code: result.code, stdout: result.stdout.toString()}).toEqual({
    code: 0,
    stdout: '/in\n/out\n/persist\n',
  });
  expect(harm()).toEqual([]);
  expect(readFileSync(join(state.path, 'persist', id, 'shared', 'file'), 'utf8')).toBe('shared\n');
});

describe('links that an image has brought', () => {
  const images = join(state.path, 'images');
  const share = join(state.path, 'share');
  const naive = 'naive';

  afterEach(() => {
    makeVictims();
    krunvmByHand(fixture, naive, ['delete', naive]);
    rmSync(join(state.path, 'krunvm', naive), {recursive: true});
  });

  it.each([
    [
      'files and mount points',
      [...files, ...folders],
      ['.krun_config.json', '.krunvm.lock', 'etc-resolv.conf', ...(isRoot ? ['in'] : [])],
    ],
    ['/etc', ['etc'], ['etc/resolv.conf']],
  ])('are not followed: %s', async (_, names, expected) => {
    const reference = `localhost/test/links-${names.length}:1`;
    const digest = await addSmallImage({
      imagesFolder: images,
      reference,
      plant: (root) => plant(root, names),
    });
    const id = await create(['--image', reference, '--persist'], withVolumes);
    expect(harm()).toEqual([]);
    const result = await exec(id, 'echo shared > /persist/file; cat /etc/resolv.conf');
    expect(result.code).toBe(0);
    expect(result.stdout.toString()).toContain('nameserver');
    expect(harm()).toEqual([]);

    mkdirSync(share, {recursive: true});
    scriptByHand(fixture, storeAsItIs, [rootfsPath(images, digest)]);
    krunvmByHand(fixture, naive, ['create', `--name=${naive}`, `--volume=${share}:/in`, 'localhost/naive']);
    krunvmByHand(fixture, naive, ['start', naive, '/bin/cat']);
    expect(harm()).toEqual(expected);
  });
});

/** As a launcher would that does not look into images. */
const storeAsItIs = `
buildah from --name storing scratch
root=$(buildah mount storing)
fsck.erofs --extract="$root" "$1"
buildah umount storing
buildah commit --quiet --rm storing localhost/naive`;
