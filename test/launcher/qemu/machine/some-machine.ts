/** Machines to plan in tests, and what is planned. */
import type {Architecture} from '../../../../src/launcher/common/host.js';
import {listCandidates} from '../../../../src/launcher/qemu/machine/candidates.js';
import type {MachineRequest} from '../../../../src/launcher/qemu/machine/machine-request.js';

export const candidate = (
  name: string,
  platform: 'linux' | 'darwin' = 'linux',
  architecture: Architecture = 'x86_64',
) => {
  const found = listCandidates({platform, architecture}).find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`no candidate '${name}'`);
  return found;
};

export const request = (more: Partial<MachineRequest> = {}): MachineRequest => ({
  marker: 'agent-0123-python-1',
  hostName: 'python-1',
  architecture: 'x86_64',
  candidate: candidate('tcg'),
  kernelPath: '/state/boot/kernel-1',
  initramfsPath: '/state/boot/initramfs-1',
  cpus: 2,
  memoryMib: 256,
  network: 'none',
  disks: {rootPath: '/images/root', upperPath: '/vm/upper.img', persistPath: '/vm/persist.img'},
  template: null,
  openKernelByFd: true,
  ...more,
});

/** The values of an option, in order. */
export const values = (args: readonly string[], option: string): string[] =>
  args.flatMap((arg, index) => (arg === option ? [args[index + 1] ?? ''] : []));
