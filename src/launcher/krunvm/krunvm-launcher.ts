/**
 * The krunvm launcher: implements src/launcher/launcher.ts. docs/krunvm.md says what krunvm is told, and why.
 * May import launcher, containers, guest, process, model.
 */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {withRuntimeFolder} from '../../containers/settings.js';
import {usageError} from '../../model/errors.js';
import {endVmms} from '../common/end-vmms.js';
import {findGuestAgent} from '../common/guest-agent.js';
import {architectureOf} from '../common/host.js';
import {requireSpace} from '../common/require-space.js';
import type {Launcher, LaunchOptions, Machine, MachineSpec, Wanted} from '../launcher.js';
import {start} from './boot.js';
import {isVmmOf} from './commands.js';
import {examineKrunvm} from './examine-krunvm.js';
import {requireNoNetwork} from './isolation.js';
import {
  findKrunvm,
  type KrunvmLauncherOptions,
  makeRuntimeFolder,
  prepareKrunHost,
  prepareToRemove,
} from './krun-host.js';
import {proveByBooting} from './proof.js';
import {makeSharedFolders, provision} from './provision.js';
import {ensureRegistered, startOrMakeAgain} from './recover.js';
import {forgetImages, removeVm} from './remove.js';
import {requireNewEnough} from './required-versions.js';

export {findVolume} from './volume.js';

const BOOT_DEADLINE_MS = 60_000;

export const createKrunvmLauncher = (options: KrunvmLauncherOptions): Launcher => ({
  name: 'krunvm',
  examine: async (launch) => await examineKrunvm(options, launch),
  check: async (wanted) => await check(options, wanted),
  isProven: async (launch) => {
    const host = await prepareKrunHost(options);
    return (await proveByBooting({host, options, launch, afresh: false})).ok;
  },
  provision: async (spec, launch) => {
    const host = await prepareKrunHost(options);
    await requireNewEnough(host, options, launch.signal);
    await provision({host, options, spec, launch});
  },
  boot: async (spec, launch) => await boot(options, spec, launch),
  end: async ({id}) => await endVmms(isVmmOf(id)),
  remove: async ({id}, launch) => {
    if (!existsSync(join(options.registriesFolder, id))) return;
    await removeVm(await prepareToRemove(options), id, launch);
  },
  forgetImages: async (launch) => {
    if (!existsSync(join(options.containersFolder, 'storage'))) return;
    await forgetImages(await prepareToRemove(options), launch);
  },
  templates: async () => null, // libkrun saves no VMs
});

const check = async (options: KrunvmLauncherOptions, {network, diskMib = null}: Wanted): Promise<void> => {
  if (diskMib !== null) {
    throw usageError(
      'krunvm cannot bound the disk of a VM: its files are a folder of this machine.',
      'leave out --disk, or use: --launcher qemu',
    );
  }
  const krunvm = await findKrunvm(options.env);
  findGuestAgent(options, architectureOf(process.arch));
  if (network !== 'none') return;
  const env = withRuntimeFolder(options.env, await makeRuntimeFolder(options));
  await requireNoNetwork(krunvm, {env});
};

const boot = async (
  options: KrunvmLauncherOptions,
  spec: MachineSpec,
  launch: LaunchOptions,
): Promise<Machine> => {
  const host = await prepareKrunHost(options);
  await requireSpace([options.containersFolder]);
  await makeSharedFolders(spec);
  const work = {host, options, spec, launch};
  await ensureRegistered(work);
  // On macOS the profile's effect has to be seen each time; on Linux the namespace cannot be left out.
  const {krunvm, registry} = host;
  if (spec.network === 'none' && krunvm.platform === 'darwin') {
    await requireNoNetwork(krunvm, {env: registry(spec.id).env, signal: launch.signal});
  }
  const request = {
    host,
    spec,
    guestAgent: findGuestAgent(options, architectureOf(process.arch)),
    logPath: join(spec.folder, 'console.log'),
    deadlineMs: BOOT_DEADLINE_MS,
    signal: launch.signal,
  };
  return await startOrMakeAgain(work, () => start(request));
};
