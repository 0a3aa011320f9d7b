/**
 * Finds the kernel modules that a guest needs, in the order to load them. Unpacked kernel packages have no modules.dep
 * (depmod makes it on installation), so dependencies are read from the modules themselves.
 */
import type {ModuleInfo} from './modinfo.js';
import {moduleName} from './modinfo.js';

export interface ModuleTree {
  /** Path of each module file, by module name. */
  readonly files: ReadonlyMap<string, string>;
  /** Modules that are part of the kernel. */
  readonly builtin: ReadonlySet<string>;
}

export interface ModuleRequest {
  /** Missing ones, and missing dependencies of theirs, are an error. */
  readonly needed: readonly string[];
  /** Loaded where they exist, before all others: faster checksums. */
  readonly wished: readonly string[];
}

export class MissingModuleError extends Error {}

/** Names of the module files to load, dependencies first. `read` tells what one module says of itself. */
export const orderModules = async (
  tree: ModuleTree,
  request: ModuleRequest,
  read: (path: string) => Promise<ModuleInfo>,
): Promise<string[]> => {
  const ordered: string[] = [];
  const visited = new Set<string>();
  const visit = async (name: string, neededBy: string): Promise<void> => {
    if (visited.has(name) || tree.builtin.has(name)) return;
    visited.add(name);
    const path = tree.files.get(name);
    if (path === undefined) throw new MissingModuleError(`${name} (needed by ${neededBy})`);
    const info = await read(path);
    for (const soft of info.softDepends) if (tree.files.has(soft)) await visit(soft, name);
    for (const dependency of info.depends) await visit(dependency, name);
    ordered.push(name);
  };
  for (const name of request.wished) if (tree.files.has(name)) await visit(name, 'the guest');
  for (const name of request.needed) await visit(name, 'the guest');
  return ordered;
};

/** `modules.builtin`: one path a line. */
export const parseBuiltin = (text: string): Set<string> =>
  new Set(
    text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map(moduleName),
  );

export interface GuestNeeds {
  readonly transport: 'pci' | 'mmio';
  /** A root file system and disks; the accelerator's probe has none. */
  readonly disks: boolean;
  readonly network: boolean;
}

export const modulesFor = ({transport, disks, network}: GuestNeeds): ModuleRequest => ({
  needed: [
    transport === 'pci' ? 'virtio_pci' : 'virtio_mmio',
    'virtio_console',
    ...(disks ? ['virtio_blk', 'erofs', 'overlay', 'ext4'] : []),
    ...(network ? ['virtio_net'] : []),
  ],
  // erofs and ext4 ask the crypto layer for crc32c by a name that no module has.
  wished: disks ? ['crc32c_intel', 'crc32c_generic'] : [],
});
