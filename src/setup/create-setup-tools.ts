import {fetchKernel} from '../launcher/qemu/qemu-launcher.js';
import type {VmContext} from '../vm/vm-context.js';
import type {KernelSource, SetupTools} from './setup-tools.js';
import {createSystemPackages, updatePackageLists} from './system-packages.js';

/** `packageRoot` is the folder of package.json, where scripts/ lies. */
export const createSetupTools = (
  context: VmContext,
  packageRoot: string,
  platform: NodeJS.Platform = process.platform,
): SetupTools => {
  const {images, paths, progress, signal} = context;
  const isMac = platform === 'darwin';
  return {
    packages: createSystemPackages({packageRoot, platform, stateFolder: paths.root, signal}),
    launcher: context.launcher(isMac ? 'krunvm' : 'qemu'),
    kernel: isMac ? null : distributionKernel(context, packageRoot),
    images,
    progress,
    signal,
  };
};

const distributionKernel = (
  {env, paths, progress, signal}: VmContext,
  packageRoot: string,
): KernelSource => ({
  fetch: async () => (await fetchKernel({cacheFolder: paths.boot, env, progress, signal})).release,
  updateLists: async () => await updatePackageLists(packageRoot),
});
