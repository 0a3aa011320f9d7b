/** The templates of the QEMU launcher: implements `Templates` of src/launcher/launcher.ts. */
import {join} from 'node:path';
import {AgentError} from '../../../model/errors.js';
import {silentProgress} from '../../../model/progress.js';
import {requireSpace} from '../../common/require-space.js';
import type {
  LaunchOptions,
  MachineSpec,
  MakeTemplateOptions,
  Template,
  TemplateSpec,
  Templates,
} from '../../launcher.js';
import {launchRequest, requireArchitecture, withFirstComplete} from '../boot.js';
import type {LaunchRequest} from '../launch.js';
import {findParts, type Parts, type QemuLauncherOptions} from '../parts.js';
import {makeSaved} from './make-template.js';
import {canSave} from './restore.js';
import {keyOf, originOf} from './template-key.js';
import {
  addTemplate,
  findSound,
  listTemplates,
  pruneTemplates,
  type StoredTemplate,
} from './template-store.js';

/** Null where VMs cannot be saved. */
export const createTemplates = async (options: QemuLauncherOptions): Promise<Templates | null> => {
  const parts = await findParts(options);
  if (!canSave(parts)) return null;
  const {templatesFolder} = options;
  return {
    list: async () =>
      (await listTemplates(templatesFolder)).filter((found) => isFrom(found, parts)).map(toTemplate),
    has: async (spec) => {
      const {key} = await resolve({options, parts, spec, ...QUIET});
      return isSound(await findSound(templatesFolder, key));
    },
    make: async (spec, makeOptions) => {
      requireArchitecture(spec, parts);
      const resolved = await resolve({options, parts, spec, ...makeOptions});
      const work = async (): Promise<Template> => await make({...resolved, options, spec, makeOptions});
      return await options.withLock(`the template ${resolved.key}`, work, makeOptions.signal);
    },
  };
};

const isSound = (found: StoredTemplate | string): found is StoredTemplate => typeof found !== 'string';

const QUIET: LaunchOptions = {progress: silentProgress, signal: new AbortController().signal};

/** Whether VMs here would start from it. */
const isFrom = ({origin}: StoredTemplate, parts: Parts): boolean =>
  parts.kernels.some(({path}) => {
    const own = originOf(parts, path);
    return own.qemu === origin.qemu && own.kernel === origin.kernel && own.agent === origin.agent;
  });

const toTemplate = ({digest, cpus, memoryMib, network, sizeBytes, createdAt}: StoredTemplate): Template => ({
  digest,
  cpus,
  memoryMib,
  network,
  sizeBytes,
  createdAt,
});

interface Resolved {
  readonly key: string;
  readonly request: LaunchRequest;
}

interface ResolveRequest extends LaunchOptions {
  readonly options: QemuLauncherOptions;
  readonly parts: Parts;
  readonly spec: TemplateSpec;
}

/** With nothing of its own. */
const machineOf = (spec: TemplateSpec): MachineSpec => ({
  ...spec,
  id: 'template',
  folder: '',
  persistFolder: null,
  ephemeral: true,
  guestVolumes: false,
});

const resolve = async (from: ResolveRequest): Promise<Resolved> =>
  await withFirstComplete(from.parts, async (kernel) => {
    const request = {...(await launchRequest({...from, kernel, spec: machineOf(from.spec)})), logPath: null};
    return {key: await keyOf(from.spec, request), request};
  });

interface MakeRequest extends Resolved {
  readonly options: QemuLauncherOptions;
  readonly spec: TemplateSpec;
  readonly makeOptions: MakeTemplateOptions;
}

const make = async ({key, request, options, spec, makeOptions}: MakeRequest): Promise<Template> => {
  const {templatesFolder} = options;
  const present = await findSound(templatesFolder, key);
  if (isSound(present)) return toTemplate(present);
  const {cpus, memoryMib, network, image} = spec;
  const origin = originOf(request.parts, request.kernel.path);
  const facts = {digest: image.digest, cpus, memoryMib, network, origin};
  await addTemplate(templatesFolder, {key, facts}, async (place) => {
    await requireSpace([place.folder], memoryMib * 1024 ** 2);
    await makeSaved(request, place, makeOptions);
  });
  await pruneTemplates(templatesFolder, key);
  const made = await findSound(templatesFolder, key);
  if (isSound(made)) return toTemplate(made);
  throw new AgentError('BOOT_FAILED', 'The template was damaged while it was made.', {
    hints: [`look at what else writes to '${join(templatesFolder, key)}'`],
  });
};
