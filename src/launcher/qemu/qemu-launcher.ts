/** The QEMU launcher: implements src/launcher/launcher.ts. May import launcher, guest, process, model. */

import {endVmms} from '../common/end-vmms.js';
import type {Launcher} from '../launcher.js';
import {boot} from './boot.js';
import {findParts, markerOf, type QemuLauncherOptions} from './parts.js';
import {provision} from './provision.js';
import {removeTemplatesOf} from './template/template-store.js';

export {fetchKernel} from './kernel/fetch-kernel.js';
export type {QemuLauncherOptions} from './parts.js';

/** Loads what few commands need when they do. */
export const createQemuLauncher = (options: QemuLauncherOptions): Launcher => ({
  name: 'qemu',
  check: async () => {
    await findParts(options);
  },
  examine: async (launchOptions) =>
    await (await import('./examine-qemu.js')).examineQemu(options, launchOptions),
  provision: async (spec, launchOptions) => await provision(options, spec, launchOptions),
  boot: async (spec, launchOptions) => await boot(options, spec, launchOptions),
  // TCG boots wherever there is QEMU.
  isProven: async () => true,
  end: async ({id}) => await endVmms(isQemu(markerOf(options, id))),
  remove: async ({id}) => await endVmms(isQemu(markerOf(options, id))),
  // The images themselves are the image store's own files.
  forgetImages: async ({except}) =>
    await removeTemplatesOf(options.templatesFolder, (digest) => !except.includes(digest)),
  templates: async () => await (await import('./template/templates.js')).createTemplates(options),
});

/** `-name guest=<marker>`, as an argument of its own. */
export const isQemu =
  (marker: string) =>
  (argv: readonly string[]): boolean =>
    argv.includes(`guest=${marker}`);
