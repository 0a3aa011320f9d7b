import {execFileSync, spawnSync} from 'node:child_process';
import {readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {build} from 'esbuild';
import {afterAll, beforeAll, expect, it} from 'vitest';
import type {GuestImage} from '../../src/model/guest-image.js';
import {statErofs} from '../image/erofs.js';
import {makeImage, type OciImage, writeLayout} from '../image/oci-image.js';
import {rootfsOf} from '../support/rootfs.js';

// As root a user is made for this; otherwise the other tests have taken this way already, and these take it again.
const isRoot = process.getuid?.() === 0;
const user = isRoot
  ? `agentimg${process.pid % 10_000}`
  : execFileSync('id', ['-un'], {encoding: 'utf8'}).trim();
const home = isRoot ? `/var/tmp/${user}` : execFileSync('mktemp', ['-d'], {encoding: 'utf8'}).trim();

let image: OciImage;
beforeAll(async () => {
  if (isRoot) {
    execFileSync('useradd', ['--create-home', '--home-dir', home, user]);
    if (rangesOf('/etc/subuid').length === 0) changeIds('add', '1200000000-1200065535');
  }
  image = await makeImage({
    layers: [
      [
        {name: 'root', content: 'x'},
        {name: 'theirs', content: 'x', uid: 1000, gid: 1001},
        {name: 'secret', content: 'x', mode: 0o600, uid: 7, gid: 7},
        {name: 'etc', type: 'symlink', linkname: '/etc'},
        {name: 'null', type: 'character-device', devmajor: 1, devminor: 3},
      ],
    ],
  });
  await writeLayout(join(home, 'layout'), '1', image);
  await build({
    entryPoints: ['test/image/pull-child.ts'],
    bundle: true,
    platform: 'node',
    outfile: join(home, 'pull.cjs'),
  });
  if (isRoot) execFileSync('chown', ['-R', `${user}:`, home]);
});
afterAll(() => {
  if (isRoot) execFileSync('userdel', ['--remove', user], {stdio: 'ignore'});
});

it("makes root images whose files have the image's owners", () => {
  const pulled = pullAsUser('state') as GuestImage;
  expect(pulled).toMatchObject({digest: image.manifest.digest});
  const rootfs = rootfsOf(pulled);
  expect(statErofs(rootfs, '/root')).toMatchObject({uid: 0, gid: 0});
  expect(statErofs(rootfs, '/theirs')).toMatchObject({uid: 1000, gid: 1001});
  expect(statErofs(rootfs, '/secret')).toMatchObject({uid: 7, gid: 7});
  expect(statErofs(rootfs, '/etc')).toMatchObject({type: 'symlink file'});
  const {mode, uid} = statSync(rootfs);
  expect(mode & 0o777).toBe(0o600);
  expect(uid).toBe(Number(execFileSync('id', ['-u', user], {encoding: 'utf8'})));
});

it('leaves no storage, no mount and no folder that the user could not remove', () => {
  expect(pullAsUser('again')).toMatchObject({digest: image.manifest.digest});
  expect(readdirSync(join(home, 'again', 'containers')).sort()).toEqual([
    'policy.json',
    'registries.conf',
    'storage.conf',
  ]);
  expect(readdirSync(join(home, 'again', 'images')).filter((name) => name.startsWith('.'))).toEqual([]);
  expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(home);
});

it.runIf(isRoot)('without subordinate ids says how to get them', () => {
  for (const range of rangesOf('/etc/subuid')) changeIds('del', range);
  expect(pullAsUser('without')).toMatchObject({
    code: 'PROCESS_FAILED',
    message: `Images cannot be unpacked by '${user}' without root.`,
    hints: [expect.stringContaining(`usermod --add-subuids`), expect.any(String), expect.any(String)],
  });
});

/** The image, or the error, that a pull by that user ends with. */
const pullAsUser = (state: string): unknown => {
  const command = [
    process.execPath,
    join(home, 'pull.cjs'),
    join(home, state),
    `oci:${join(home, 'layout')}:1`,
  ];
  const clean = ['env', '-i', `HOME=${home}`, 'PATH=/usr/local/bin:/usr/bin:/bin', ...command];
  const [file = '', ...args] = isRoot ? ['runuser', '-u', user, '--', ...clean] : clean;
  const {stdout, stderr} = spawnSync(file, args, {cwd: home, encoding: 'utf8'});
  const last = stdout.trim().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) throw new Error(`${stdout}\n${stderr}`);
  return JSON.parse(last);
};

const rangesOf = (file: string): string[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter(([name]) => name === user)
    .map(([, first, count]) => `${first}-${Number(first) + Number(count) - 1}`);

const changeIds = (action: 'add' | 'del', range: string): void => {
  execFileSync('usermod', [`--${action}-subuids`, range, `--${action}-subgids`, range, user]);
};
