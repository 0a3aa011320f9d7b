/** krunvm's configuration file of one VM, in the form of krunvm 0.2. */
import {readFile} from 'node:fs/promises';
import {parse, stringify} from 'smol-toml';
import * as z from 'zod/mini';
import {writeAtomically} from '../common/atomic-file.js';
import type {SharedFolder} from './commands.js';

export interface RegisteredVm {
  readonly id: string;
  readonly cpus: number;
  readonly memoryMib: number;
  readonly folders: readonly SharedFolder[];
  readonly container: string;
}

interface Registry {
  readonly path: string;
  /** Where krunvm stores on macOS; without it, krunvm would ask for it and never end. */
  readonly volume: string | null;
}

/** krunvm ends with a panic where one of its fields is missing, so each of them is asked for. */
const entrySchema = z.object({
  name: z.string(),
  cpus: z.number(),
  mem: z.number(),
  container: z.string().check(z.minLength(1)),
  workdir: z.string(),
  dns: z.string(),
  mapped_volumes: z.record(z.string(), z.string()),
  mapped_ports: z.record(z.string(), z.string()),
});
const fileSchema = z.object({
  version: z.number(),
  default_cpus: z.number(),
  default_mem: z.number(),
  default_dns: z.string(),
  storage_volume: z.string(),
  vmconfig_map: z.record(z.string(), z.unknown()),
});

/** Whether krunvm would find the VM; a file that it could not read counts as none. */
export const isRegistered = async ({path, volume}: Registry, id: string): Promise<boolean> => {
  const file = await readRegistry(path);
  if (file === undefined || (volume !== null && file.storage_volume !== volume)) return false;
  const entry = entrySchema.safeParse(file.vmconfig_map[id]);
  return entry.success && entry.data.name === id;
};

/** The volume that krunvm was set up with on this Mac, or undefined. */
export const readVolume = async (path: string): Promise<string | undefined> =>
  (await readRegistry(path))?.storage_volume || undefined;

const readRegistry = async (path: string): Promise<z.infer<typeof fileSchema> | undefined> => {
  try {
    return fileSchema.parse(parse(await readFile(path, 'utf8')));
  } catch {
    return undefined; // missing, empty or damaged
  }
};

/** An empty registry, or one with this VM as `krunvm create` would have written it. */
export const writeRegistry = async ({path, volume}: Registry, vm: RegisteredVm | null): Promise<void> => {
  const content = stringify({
    version: 1,
    default_cpus: 2,
    default_mem: 1024,
    default_dns: DNS,
    storage_volume: volume ?? '',
    vmconfig_map: vm ? {[vm.id]: toEntry(vm)} : {},
  });
  await writeAtomically({path, content, mode: 0o600});
};

/** krunvm's own default. */
const DNS = '1.1.1.1';

const toEntry = ({id, cpus, memoryMib, folders, container}: RegisteredVm) => ({
  name: id,
  cpus,
  mem: memoryMib,
  container,
  workdir: '/',
  dns: DNS,
  mapped_volumes: Object.fromEntries(folders.map(({host, guest}) => [host, guest])),
  mapped_ports: {},
});
