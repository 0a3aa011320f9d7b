import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {createSystemPackages, parseMissing, updatePackageLists} from '../../src/setup/system-packages.js';
import {createTree} from './temp-tree.js';

const {signal} = new AbortController();
const packagesAt = (packageRoot: string, platform: NodeJS.Platform = 'linux') =>
  createSystemPackages({packageRoot, platform, stateFolder: '/home/jo/agent state', signal});
const packagesOf = (script: string) => packagesAt(createTree({'scripts/linux/setup.sh': script}));

/** Leaves its arguments beside itself, one a line. */
const recording = '#!/bin/sh\nprintf \'%s\\n\' "$@" > "$(dirname "$0")/args"\n';
const argsIn = (root: string, folder: string): string[] => {
  const file = join(root, 'scripts', folder, 'args');
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
};

describe('createSystemPackages', () => {
  it('reads what the script misses', async () => {
    const script =
      '#!/bin/sh\n[ "$*" = --check ] || exit 3\nprintf \'missing:\\n  buildah    fetches images\\n\'\nexit 1\n';
    expect(await packagesOf(script).missing()).toEqual([{name: 'buildah', purpose: 'fetches images'}]);
  });

  it('finds nothing missing when the script prints nothing', async () => {
    expect(await packagesOf('#!/bin/sh\n').missing()).toEqual([]);
  });

  it('does not take a broken script for a complete machine', async () => {
    await expect(packagesOf('#!/bin/sh\nexit 1\n').missing()).rejects.toMatchObject({code: 'PROCESS_FAILED'});
  });

  it('says what to do when the script fails', async () => {
    await expect(packagesOf('#!/bin/sh\nexit 1\n').install({assumeYes: true})).rejects.toMatchObject({
      code: 'PROCESS_FAILED',
      hints: [expect.stringContaining('agent setup')],
    });
  });

  for (const [platform, folder, args] of [
    ['linux', 'linux', []],
    ['darwin', 'macos', ['--state', '/home/jo/agent state']],
  ] as const) {
    it(`asks the script for ${folder}`, async () => {
      const root = createTree({[`scripts/${folder}/setup.sh`]: recording});
      const packages = packagesAt(root, platform);
      await packages.missing();
      expect(argsIn(root, folder)).toEqual(['--check', ...args]);
      await packages.install({assumeYes: true});
      expect(argsIn(root, folder)).toEqual(['--yes', ...args]);
    });
  }

  it('names what agent runs on where it does not run', async () => {
    await expect(packagesAt('/nowhere', 'freebsd').missing()).rejects.toMatchObject({
      code: 'LAUNCHER_UNAVAILABLE',
      message: expect.stringContaining('freebsd'),
    });
  });
});

it('updates package lists without a question', async () => {
  const root = createTree({'scripts/linux/setup.sh': recording});
  await updatePackageLists(root);
  expect(argsIn(root, 'linux')).toEqual(['--lists', '--yes']);
});

it('keeps the longest name apart from its purpose', () => {
  expect(parseMissing('missing:\n  qemu-system-aarch64  runs the virtual machines\n')).toEqual([
    {name: 'qemu-system-aarch64', purpose: 'runs the virtual machines'},
  ]);
});
