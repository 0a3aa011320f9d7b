import type {Launcher} from './launcher/launcher.js';
import type {LauncherName} from './model/launcher-name.js';

/** A launcher whose code is loaded when it is first asked for something. */
export const createLazyLauncher = (name: LauncherName, load: () => Promise<Launcher>): Launcher => {
  let loading: Promise<Launcher> | undefined;
  const loaded = (): Promise<Launcher> => {
    loading ??= load();
    return loading;
  };
  return {
    name,
    examine: async (options) => await (await loaded()).examine(options),
    check: async (wanted) => await (await loaded()).check(wanted),
    isProven: async (options) => await (await loaded()).isProven(options),
    provision: async (spec, options) => await (await loaded()).provision(spec, options),
    boot: async (spec, options) => await (await loaded()).boot(spec, options),
    end: async (vm) => await (await loaded()).end(vm),
    remove: async (vm, options) => await (await loaded()).remove(vm, options),
    forgetImages: async (options) => await (await loaded()).forgetImages(options),
    templates: async () => await (await loaded()).templates(),
  };
};
