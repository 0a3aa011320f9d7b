/** The images in the volume's storage, and their names. */
import * as z from 'zod/mini';
import {AgentError, toAgentError} from '../model/errors.js';
import {type GuestImage, storageName} from '../model/guest-image.js';
import type {BuildahStorage, Step} from './image-host.js';

export interface StoredImage {
  readonly id: string;
  readonly names: readonly string[];
  /** As buildah rounds it: three digits. */
  readonly sizeBytes: number;
}

type Asking = Omit<Step, 'phase'>;

export const listStored = async (volume: BuildahStorage, step: Asking): Promise<readonly StoredImage[]> => {
  const args = ['images', '--json', '--no-trunc'];
  const {stdout} = await volume.buildah(args, {...step, phase: 'listing the images'});
  return parseStored(stdout);
};

export const tagStored = async (
  volume: BuildahStorage,
  {id, name}: {readonly id: string; readonly name: string},
  step: Asking,
): Promise<void> => {
  await volume.buildah(['tag', id, name], {...step, phase: `naming the image ${name}`});
};

/** Takes a name away, and the image with its last one. What is not there is gone already. */
export const untagStored = async (
  volume: BuildahStorage,
  name: string,
  step: Asking,
): Promise<'gone' | 'in use'> => {
  try {
    await volume.buildah(['rmi', '--', name], {...step, phase: `removing the image ${name}`});
    return 'gone';
  } catch (thrown) {
    const error = toAgentError(thrown);
    const said = error.details.join('\n');
    if (error.code === 'PROCESS_FAILED' && /image not known/i.test(said)) return 'gone';
    if (error.code === 'PROCESS_FAILED' && /in use by a container|image used by/i.test(said)) return 'in use';
    throw error;
  }
};

/** Whether the storage still has the image: it is the user's too, who may have removed it. */
export const isStored = async (
  volume: BuildahStorage,
  image: Pick<GuestImage, 'digest'>,
  step: Asking,
): Promise<boolean> => {
  const args = ['inspect', '--type=image', '--format={{.FromImageID}}', storageName(image)];
  try {
    await volume.buildah(args, {...step, phase: `looking for the image ${image.digest}`});
    return true;
  } catch (thrown) {
    const error = toAgentError(thrown);
    if (error.code === 'PROCESS_FAILED' && /image not known/i.test(error.details.join('\n'))) return false;
    throw error;
  }
};

const storedSchema = z.array(
  z.object({id: z.string(), names: z.nullish(z.array(z.string())), size: z._default(z.string(), '')}),
);

/** What `buildah images --json --no-trunc` says. */
export const parseStored = (json: string): readonly StoredImage[] => {
  try {
    // Without images some versions say null.
    return (z.nullable(storedSchema).parse(JSON.parse(json)) ?? []).map(({id, names, size}) => ({
      id: id.replace('sha256:', ''),
      names: names ?? [],
      sizeBytes: parseSize(size),
    }));
  } catch (cause) {
    throw new AgentError('PROCESS_FAILED', 'buildah lists images in a way that is not understood.', {cause});
  }
};

const units: Readonly<Record<string, number>> = {B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12};

/** `3.01 KB`, `1e+03 MB`; zero where it cannot be read, since nothing depends on it. */
const parseSize = (text: string): number => {
  const [, number = '', unit = ''] = /^([\d.e+]+) ?([KMGT]?B)$/.exec(text) ?? [];
  const bytes = Number(number) * (units[unit] ?? 0);
  return Number.isFinite(bytes) ? Math.round(bytes) : 0;
};
