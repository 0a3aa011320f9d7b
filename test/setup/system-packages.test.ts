import {describe, expect, it} from 'vitest';
import {createSystemPackages, parseMissing} from '../../src/setup/system-packages.js';
import {createTree} from './temp-tree.js';

const {signal} = new AbortController();
const packagesOf = (script: string, platform: NodeJS.Platform = 'linux') =>
  createSystemPackages({
    packageRoot: createTree({'scripts/linux/setup.sh': script}),
    platform,
    signal,
  });

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

  it('points to Homebrew on macOS, and says that it is untested', async () => {
    await expect(packagesOf('', 'darwin').missing()).rejects.toMatchObject({
      code: 'LAUNCHER_UNAVAILABLE',
      details: [expect.stringContaining('tested')],
      hints: [expect.stringContaining('brew install'), expect.any(String)],
    });
  });
});

it('keeps the longest name apart from its purpose', () => {
  expect(parseMissing('missing:\n  qemu-system-aarch64  runs the virtual machines\n')).toEqual([
    {name: 'qemu-system-aarch64', purpose: 'runs the virtual machines'},
  ]);
});
