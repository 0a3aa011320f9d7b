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
import {refuseTakenVolume} from '../state/taken-volume.js';
import {chooseLauncher} from './choose-launcher.js';
import {changeOwn, moveTo} from './lifecycle.js';
import {machineSpec} from './machine-spec.js';
import {whileOwned} from './ownership.js';
import {reap, removeVm} from './reap.js';
import type {VmContext} from './vm-context.js';
import {foreignVolume, isVolume, makerOf, makeVolume, wantedVolume} from './volumes.js';

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
  const isReused = await prepareVolume(context, options);
  const launcher = await launcherFor(context, options);
  await reap(context);
  const record = newRecord(context, options, {reference, launcher, ephemeral});
  context.store().insert(record);
  try {
    return await whileOwned(context, record.id, (held) => provision(held, record, ephemeral));
  } catch (error) {
    await removeVm(context, record.id, {keepPersist: isReused}).catch(() => {
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

/** Throws VM_BUSY where another VM has the volume. True where there is one of that name, which holds something. */
const prepareVolume = async (context: VmContext, options: CreateOptions): Promise<boolean> => {
  const volume = wantedVolume(options);
  if (volume === null || !context.storeIfAny()) return false;
  await reap(context);
  refuseTakenVolume(context.store().list().records, volume);
  return await isVolume(context, volume);
};

/** A volume that is there stays with the launcher that made it. */
const launcherFor = async (context: VmContext, options: CreateOptions): Promise<LauncherName> => {
  const volume = wantedVolume(options);
  const maker = volume === null ? null : await makerOf(context, volume);
  const wanted = options.launcher === 'auto' && maker ? maker : options.launcher;
  if (volume !== null && maker !== null && wanted !== maker) throw foreignVolume(volume, maker, wanted);
  return await chooseLauncher(context, {...options, launcher: wanted});
};

const newRecord = (
  context: VmContext,
  options: CreateOptions,
  {reference, launcher, ephemeral}: NewVm,
): VmRecord => {
  const id = `${options.language ?? 'vm'}-${context.randomId()}`;
  const volume = wantedVolume(options) ?? (options.persist ? id : null);
  return {...describedBy(context, options, {reference, launcher, ephemeral}), id, volume};
};

const describedBy = (
  context: VmContext,
  options: CreateOptions,
  {reference, launcher, ephemeral}: NewVm,
): Omit<VmRecord, 'id' | 'volume'> => ({
  schema: 1,
  name: options.name,
  language: options.language,
  image: {reference, digest: null},
  launcher,
  cpus: options.cpus,
  memoryMib: options.memoryMib,
  network: options.network,
  persist: options.persist,
  diskMib: options.diskMib,
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
  if (spec.persistFolder) await makeVolume(spec.persistFolder, record.launcher);
  return spec;
};
