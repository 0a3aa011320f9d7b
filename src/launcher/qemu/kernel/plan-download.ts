/** Decides which packages hold a guest kernel, from what apt says of them. */
import type {Architecture} from '../../common/host.js';

/** Packages that only depend on the newest kernel for virtual machines: Debian's, then Ubuntu's. */
export const kernelMetaPackages = (architecture: Architecture): string[] => [
  `linux-image-cloud-${architecture === 'x86_64' ? 'amd64' : 'arm64'}`,
  'linux-image-virtual',
];

/** The kernel's package among the dependencies that `apt-cache depends` lists. */
export const parseKernelPackage = (depends: string): string | undefined =>
  dependencies(depends).find((name) => /^linux-image-(unsigned-)?\d/.test(name));

/** Packages with its modules, where they are not in the kernel's own. */
export const parseModulePackages = (depends: string): string[] =>
  dependencies(depends).filter((name) => /^linux-modules-\d/.test(name));

/** Ubuntu keeps erofs and others apart. */
export const extraModulePackage = (modulePackage: string): string =>
  modulePackage.replace('linux-modules-', 'linux-modules-extra-');

export const releaseOf = (kernelPackage: string): string =>
  kernelPackage.replace(/^linux-image-(unsigned-)?/, '');

const dependencies = (text: string): string[] =>
  [...text.matchAll(/^\s*\|?(?:Pre)?Depends: ([a-z0-9][a-z0-9+.-]*)/gm)].map((match) => match[1] ?? '');
