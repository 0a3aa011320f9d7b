import {describe, expect, it} from 'vitest';
import {
  compareReleases,
  type KernelFile,
  rankKernels,
} from '../../../../src/launcher/qemu/kernel/choose-kernel.js';

const kernel = (release: string, more: Partial<KernelFile> = {}): KernelFile => ({
  path: `/boot/vmlinuz-${release}`,
  release,
  modulesFolder: `/lib/modules/${release}`,
  readable: true,
  ...more,
});

const rank = (host: string, ...releases: string[]): string[] =>
  rankKernels(
    releases.map((release) => kernel(release)),
    host,
  ).map(({release}) => release);

describe('rankKernels', () => {
  it('prefers kernels for virtual machines, the newest first', () => {
    expect(rank('6.1.0-60-amd64', '6.1.0-60-amd64', '6.1.0-9-cloud-amd64', '6.1.0-10-cloud-amd64')).toEqual([
      '6.1.0-10-cloud-amd64',
      '6.1.0-9-cloud-amd64',
      '6.1.0-60-amd64',
    ]);
  });

  it('prefers the running kernel to other ordinary ones, and special ones least', () => {
    expect(
      rank('6.8.0-50-generic', '6.8.0-60-lowlatency', '6.8.0-60-generic', '6.8.0-50-generic', '6.8.0-1-aws'),
    ).toEqual(['6.8.0-50-generic', '6.8.0-60-generic', '6.8.0-60-lowlatency', '6.8.0-1-aws']);
  });

  it('leaves out kernels that cannot be read or have no modules', () => {
    const kernels = [kernel('1', {readable: false}), kernel('2', {modulesFolder: null}), kernel('3')];
    expect(rankKernels(kernels, '').map(({release}) => release)).toEqual(['3']);
  });
});

describe('compareReleases', () => {
  it.each([
    ['6.1.0-10', '6.1.0-9'],
    ['6.12.0', '6.9.0'],
    ['6.1.1', '6.1'],
  ])('%s is newer than %s', (newer, older) => {
    expect(compareReleases(newer, older)).toBeGreaterThan(0);
    expect(compareReleases(older, newer)).toBeLessThan(0);
    expect(compareReleases(newer, newer)).toBe(0);
  });
});
