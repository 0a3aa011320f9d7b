/** The QEMU launcher: implements src/launcher/launcher.ts. May import launcher, guest, process, model. */
import type {Launcher} from '../launcher.js';
import {boot} from './boot.js';
import {destroyVmm} from './destroy-vmm.js';
import {examineQemu} from './examine-qemu.js';
import {findParts, markerOf, type QemuLauncherOptions} from './parts.js';
import {provision} from './provision.js';

export {fetchKernel} from './kernel/fetch-kernel.js';
export type {QemuLauncherOptions} from './parts.js';

export const createQemuLauncher = (options: QemuLauncherOptions): Launcher => ({
  name: 'qemu',
  check: async () => {
    await findParts(options);
  },
  examine: async (launchOptions) => await examineQemu(options, launchOptions),
  provision: async (spec, launchOptions) => await provision(options, spec, launchOptions),
  boot: async (spec, launchOptions) => await boot(options, spec, launchOptions),
  destroy: async ({id, vmm}) => await destroyVmm({marker: markerOf(options, id), recorded: vmm}),
});
