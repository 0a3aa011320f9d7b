/** Decides which of the kernels found on this machine to boot in guests. */

export interface KernelFile {
  /** bzImage, Image or vmlinux. */
  readonly path: string;
  /** `uname -r`. */
  readonly release: string;
  /** Its `…/lib/modules/<release>`; null where it has none and must have everything built in. */
  readonly modulesFolder: string | null;
  readonly readable: boolean;
}

/** Best first: small kernels for virtual machines, then others, the newest of each kind first. */
export const rankKernels = (kernels: readonly KernelFile[], hostRelease: string): KernelFile[] =>
  kernels
    .filter((kernel) => kernel.readable && kernel.modulesFolder !== null)
    .toSorted(
      (one, other) =>
        flavourRank(one.release, hostRelease) - flavourRank(other.release, hostRelease) ||
        compareReleases(other.release, one.release),
    );

// Debian `6.1.0-56-cloud-amd64`; Ubuntu `5.15.0-1070-kvm`, `6.8.0-60-generic` (linux-image-virtual too); Alpine `-virt`.
const flavourRank = (release: string, hostRelease: string): number => {
  if (/-(cloud|kvm|virt|virtual)\b/.test(release)) return 0;
  if (/-(rt|lowlatency|debug|dbg|xen|azure|aws|gcp|oracle|raspi|nvidia)\b/.test(release)) return 3;
  return release === hostRelease ? 1 : 2;
};

/** By the numbers in them, in order: `6.1.0-9` is older than `6.1.0-10`. */
export const compareReleases = (one: string, other: string): number => {
  const [left, right] = [numbersIn(one), numbersIn(other)];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? -1) - (right[index] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
};

const numbersIn = (release: string): number[] => (release.match(/\d+/g) ?? []).map(Number);
