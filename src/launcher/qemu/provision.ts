/** The disks of a VM, as far as it needs them. */
import {AgentError} from '../../model/errors.js';
import {findProgram} from '../common/host.js';
import type {LaunchOptions, MachineSpec} from '../launcher.js';
import {diskPath, makeDisk} from './disks.js';
import type {MachineRequest} from './machine/machine-request.js';
import type {QemuLauncherOptions} from './parts.js';

export const provision = async (
  {env}: QemuLauncherOptions,
  spec: MachineSpec,
  {signal}: LaunchOptions,
): Promise<void> => {
  const mke2fsPath = findProgram(env, 'mke2fs', 'mkfs.ext4');
  if (hasUpper(spec)) {
    const size = spec.diskMib ? {bytes: spec.diskMib * 1024 ** 2} : {};
    await makeDisk({folder: spec.folder, name: 'upper', ...size, mke2fsPath, signal});
  }
  if (spec.persistFolder !== null) {
    await makeDisk({folder: spec.persistFolder, name: 'persist', mke2fsPath, signal});
  }
};

/** Otherwise it writes into its memory. */
export const hasUpper = ({ephemeral, diskMib = null}: Pick<MachineSpec, 'ephemeral' | 'diskMib'>): boolean =>
  !ephemeral || diskMib !== null;

export const disksOf = (spec: MachineSpec): MachineRequest['disks'] => ({
  rootPath: rootPathOf(spec.image),
  upperPath: hasUpper(spec) ? diskPath(spec.folder, 'upper') : null,
  persistPath: spec.persistFolder === null ? null : diskPath(spec.persistFolder, 'persist'),
});

export const rootPathOf = ({rootfsPath, digest}: MachineSpec['image']): string => {
  if (rootfsPath !== null) return rootfsPath;
  throw new AgentError('IMAGE_UNUSABLE', `The image ${digest} is stored for krunvm only.`, {
    hints: ['use it with: --launcher krunvm'],
  });
};
