import {mkdir} from 'node:fs/promises';
import {performance} from 'node:perf_hooks';
import type {MachineSpec} from '../launcher/launcher.js';
import type {CreateOptions} from '../model/create-options.js';
import {AgentError} from '../model/errors.js';
import type {GuestImage} from '../model/guest-image.js';
import type {LauncherName} from '../model/launcher-name.js';
import type {Phases} from '../model/run-report.js';
import type {VmRecord} from '../model/vm-record.js';
import {makePrivateFolder} from '../state/state-paths.js';
import {chooseLauncher} from './choose-launcher.js';
import {changeOwn, moveTo} from './lifecycle.js';
import {machineSpec} from './machine-spec.js';
import {whileOwned} from './ownership.js';
import {reap, removeVm} from './reap.js';
import type {VmContext} from './vm-context.js';

export interface CreatedVm {
  readonly record: VmRecord;
  readonly image: GuestImage;
  readonly spec: MachineSpec;
  readonly phases: Phases;
}

/** Makes a VM that is ready to boot. Whatever fails, nothing of it stays. */
export const createVm = async (
  context: VmContext,
  options: CreateOptions,
  {ephemeral = false}: {readonly ephemeral?: boolean} = {},
): Promise<CreatedVm> => {
  context.storeIfAny(); // a state directory that cannot be used is the first thing to tell
  const reference = context.images.resolve({language: options.language, reference: options.image});
  const launcher = await chooseLauncher(context, options);
  await reap(context);
  const record = newRecord(context, options, {reference, launcher, ephemeral});
  context.store().insert(record);
  try {
    return await whileOwned(context, record.id, (held) => provision(held, record, ephemeral));
  } catch (error) {
    await removeVm(context, record.id, {keepPersist: false}).catch(() => {
      // What stays has its record: it is reaped, and the first error tells more.
    });
    throw error;
  }
};

interface NewVm {
  readonly reference: string;
  readonly launcher: LauncherName;
  readonly ephemeral: boolean;
}

const newRecord = (
  context: VmContext,
  options: CreateOptions,
  {reference, launcher, ephemeral}: NewVm,
): VmRecord => ({
  schema: 1,
  id: `${options.language ?? 'vm'}-${context.randomId()}`,
  name: options.name,
  language: options.language,
  image: {reference, digest: null},
  launcher,
  cpus: options.cpus,
  memoryMib: options.memoryMib,
  network: options.network,
  persist: options.persist,
  guestVolumes: options.guestVolumes,
  ephemeral,
  labels: options.labels,
  env: options.env,
  idleTimeoutMs: options.idleTimeoutMs,
  status: 'provisioning',
  failure: null,
  createdAt: context.now().toISOString(),
  lastRunAt: null,
  owner: context.self,
  evicted: [],
  vmm: null,
  socket: null,
  ended: null,
});

const provision = async (context: VmContext, record: VmRecord, ephemeral: boolean): Promise<CreatedVm> => {
  const {signal, progress} = context;
  const startedAt = performance.now();
  const image = await context.images.ensure({
    language: record.language,
    reference: record.image.reference,
    progress,
    signal,
  });
  const imageAt = performance.now();
  const spec = await makeFolders(context, record, image);
  await context.launcher(record.launcher).provision(spec, {progress, signal});
  const ready = context.store().update(record.id, (present) =>
    changeOwn(present, context.self, (own) => ({
      ...moveTo(own, {status: 'ready', owner: ephemeral ? context.self : null}),
      image: {...own.image, digest: image.digest},
    })),
  );
  if (ready?.status !== 'ready') {
    throw new AgentError('INTERRUPTED', `VM '${record.id}' was removed while it was being made.`);
  }
  return {
    record: ready,
    image,
    spec,
    phases: {image: imageAt - startedAt, provision: performance.now() - imageAt},
  };
};

const makeFolders = async (context: VmContext, record: VmRecord, image: GuestImage): Promise<MachineSpec> => {
  makePrivateFolder(context.paths.root, context.uid);
  const spec = machineSpec(context, record, image);
  for (const folder of ['out', 'runs']) {
    await mkdir(`${spec.folder}/${folder}`, {recursive: true, mode: 0o700});
  }
  if (spec.persistFolder) await mkdir(spec.persistFolder, {recursive: true, mode: 0o700});
  return spec;
};
