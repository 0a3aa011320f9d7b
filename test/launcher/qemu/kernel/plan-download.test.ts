import {describe, expect, it} from 'vitest';
import {
  extraModulePackage,
  kernelMetaPackages,
  parseKernelPackage,
  parseModulePackages,
  releaseOf,
} from '../../../../src/launcher/qemu/kernel/plan-download.js';

const DEBIAN = 'linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-56-cloud-amd64\n';
const UBUNTU = 'linux-image-virtual\n  Depends: linux-firmware\n  Depends: linux-image-6.8.0-60-generic\n';
const UBUNTU_IMAGE = `linux-image-6.8.0-60-generic
  Depends: kmod
 |Depends: linux-base
  Depends: linux-modules-6.8.0-60-generic
  Conflicts: linux-image-unsigned-6.8.0-60-generic
`;

describe('plan of a kernel download', () => {
  it('asks for the small kernels of the architecture', () => {
    expect(kernelMetaPackages('x86_64')).toEqual(['linux-image-cloud-amd64', 'linux-image-virtual']);
    expect(kernelMetaPackages('aarch64')).toEqual(['linux-image-cloud-arm64', 'linux-image-virtual']);
  });

  it("finds the kernel's package behind the one that only depends on it", () => {
    expect(parseKernelPackage(DEBIAN)).toBe('linux-image-6.1.0-56-cloud-amd64');
    expect(parseKernelPackage(UBUNTU)).toBe('linux-image-6.8.0-60-generic');
    expect(parseKernelPackage('')).toBeUndefined();
    expect(parseKernelPackage('x\n  Depends: linux-image-amd64\n')).toBeUndefined();
  });

  it('finds modules that have a package of their own', () => {
    expect(parseModulePackages(UBUNTU_IMAGE)).toEqual(['linux-modules-6.8.0-60-generic']);
    expect(parseModulePackages(DEBIAN)).toEqual([]);
    expect(extraModulePackage('linux-modules-6.8.0-60-generic')).toBe('linux-modules-extra-6.8.0-60-generic');
  });

  it('reads the release from the name', () => {
    expect(releaseOf('linux-image-6.1.0-56-cloud-amd64')).toBe('6.1.0-56-cloud-amd64');
    expect(releaseOf('linux-image-unsigned-6.8.0-60-generic')).toBe('6.8.0-60-generic');
  });
});
