/** VMs of the QEMU launcher alone: the images and kernels of the prepared state directory, folders of the test's own. */
import {mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {guestAgentPath} from '../../src/context.js';
import type {MachineSpec} from '../../src/launcher/launcher.js';
import {
  createQemuLauncher,
  fetchKernel,
  type QemuLauncherOptions,
} from '../../src/launcher/qemu/qemu-launcher.js';
import {prepared} from '../support/agent.js';
import {launchOptions} from '../support/booted-guest.js';

export interface LauncherFixture {
  readonly folder: string;
  readonly options: QemuLauncherOptions;
  readonly launcher: ReturnType<typeof createQemuLauncher>;
  readonly spec: (id: string, more?: Partial<MachineSpec>) => MachineSpec;
  readonly remove: () => void;
}

export const makeFixture = async (): Promise<LauncherFixture> => {
  const folder = mkdtempSync(join(tmpdir(), 'agent-launcher-'));
  mkdirSync(prepared.boot, {recursive: true, mode: 0o700});
  symlinkSync(prepared.boot, join(folder, 'boot'));
  const options = {
    cacheFolder: join(folder, 'boot'),
    templatesFolder: join(folder, 'templates'),
    withLock: <T>(_name: string, work: () => Promise<T>) => work(),
    runtimeFolder: join(folder, 'runtime'),
    guestAgentPath,
    env: process.env,
  };
  await fetchKernel({...options, ...launchOptions()});
  return {
    folder,
    options,
    launcher: createQemuLauncher(options),
    spec: (id, more) => makeSpec(folder, id, more),
    remove: () => rmSync(folder, {recursive: true, force: true}),
  };
};

const makeSpec = (folder: string, id: string, more: Partial<MachineSpec> = {}): MachineSpec => {
  const vmFolder = join(folder, id);
  mkdirSync(vmFolder, {recursive: true, mode: 0o700});
  return {
    id,
    folder: vmFolder,
    persistFolder: null,
    image: {
      digest: `sha256:${'0'.repeat(64)}`,
      references: [],
      rootfsPath: findRootfs(),
      sizeBytes: 0,
      architecture: process.arch,
      config: {env: [], workdir: '/', user: ''},
      createdAt: '2026-01-01T00:00:00Z',
    },
    cpus: 1,
    memoryMib: 256,
    network: 'none',
    guestVolumes: false,
    ephemeral: true,
    ...more,
  };
};

/** Any root image with a shell; AGENT_TEST_ROOTFS names another. */
export const findRootfs = (): string => {
  const {AGENT_TEST_ROOTFS: chosen} = process.env;
  if (chosen !== undefined) return chosen;
  const found = readdirSync(prepared.images, {recursive: true, encoding: 'utf8'}).find((path) =>
    path.endsWith('rootfs.erofs'),
  );
  if (found === undefined)
    throw new Error(`no image in ${prepared.images}: run npm test, which prepares them`);
  return join(prepared.images, found);
};
