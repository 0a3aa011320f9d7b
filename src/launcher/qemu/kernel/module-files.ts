/** Reads the modules of one kernel from their folder, `…/lib/modules/<release>`. */
import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {moduleName, readModuleInfo} from './modinfo.js';
import {type GuestNeeds, type ModuleTree, modulesFor, orderModules, parseBuiltin} from './modules.js';
import {type UnpackOptions, unpack} from './unpack.js';

export interface KernelModule {
  readonly name: string;
  /** Unpacked. */
  readonly content: Buffer;
}

/** The modules for a guest, in the order to load them. `folder` is null for a kernel that has everything built in. */
export const loadModules = async (
  folder: string | null,
  needs: GuestNeeds,
  options: UnpackOptions,
): Promise<KernelModule[]> => {
  if (folder === null) return [];
  const tree = await readTree(folder);
  const contents = new Map<string, Buffer>();
  const order = await orderModules(tree, modulesFor(needs), async (path) => {
    const content = await unpack(await readFile(path), options);
    contents.set(moduleName(path), content);
    return readModuleInfo(content);
  });
  return order.map((name) => ({name, content: contents.get(name) ?? Buffer.alloc(0)}));
};

const readTree = async (folder: string): Promise<ModuleTree> => {
  const entries = await readdir(join(folder, 'kernel'), {recursive: true, withFileTypes: true});
  const files = entries.filter((entry) => entry.isFile() && /\.ko(\.(gz|xz|zst))?$/.test(entry.name));
  return {
    files: new Map(files.map((file) => [moduleName(file.name), join(file.parentPath, file.name)])),
    builtin: parseBuiltin(await readFile(join(folder, 'modules.builtin'), 'utf8').catch(() => '')),
  };
};
