import {fetchKernel} from '../launcher/qemu/qemu-launcher.js';
import type {VmContext} from '../vm/vm-context.js';
import type {SetupTools} from './setup-tools.js';
import {createSystemPackages} from './system-packages.js';

/** `packageRoot` is the folder of package.json, where scripts/ lies. */
export const createSetupTools = (context: VmContext, packageRoot: string): SetupTools => {
  const {env, images, paths, progress, signal} = context;
  return {
    packages: createSystemPackages({packageRoot, platform: process.platform, signal}),
    launcher: context.launcher('qemu'),
    fetchKernel: async () => (await fetchKernel({cacheFolder: paths.boot, env, progress, signal})).release,
    images,
    progress,
    signal,
  };
};
