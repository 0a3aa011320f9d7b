/** Lets a Containerfile build upon images that are here: they are unpacked into the workshop's storage first. */
import {AgentError} from '../model/errors.js';
import type {GuestImage} from '../model/guest-image.js';
import {findImage, readCatalog} from './catalog.js';
import {parseReference} from './reference.js';
import type {ImageHost, Step, Workshop} from './workshop.js';

/** The images made here that a Containerfile or its arguments name, wherever in the text. */
export const namedLocally = (texts: readonly string[]): readonly string[] => {
  const found = texts.flatMap((text) => text.match(/(?<![\w./:-])localhost\/[\w./:-]*\w/g) ?? []);
  return [...new Set(found)];
};

/** Throws IMAGE_NOT_FOUND for a `FROM` that names an image made here which is not here. */
export const importBases = async (options: {
  readonly host: ImageHost;
  readonly workshop: Workshop;
  readonly names: readonly string[];
  readonly step: Omit<Step, 'phase'>;
}): Promise<void> => {
  const {host, workshop, names, step} = options;
  const catalog = readCatalog(host.imagesFolder);
  for (const [index, name] of names.entries()) {
    const reference = parseReference(name).text;
    const image = findImage(catalog, reference);
    if (!image) {
      throw new AgentError(
        'IMAGE_NOT_FOUND',
        `The Containerfile builds on '${reference}', which is not here.`,
        {
          hints: [
            'agent image list shows what is here',
            'agent image build LANGUAGE makes a language’s image',
          ],
        },
      );
    }
    await importImage({workshop, image, reference, container: `base-${index}`, step});
  }
};

const unpackScript = 'exec fsck.erofs --extract="$2" "$1"';

const importImage = async (options: {
  readonly workshop: Workshop;
  readonly image: GuestImage;
  readonly reference: string;
  readonly container: string;
  readonly step: Omit<Step, 'phase'>;
}): Promise<void> => {
  const {workshop, image, reference, container, step} = options;
  const {env, workdir, user} = image.config;
  const phase = `unpacking ${reference}`;
  const command = ['sh', '-c', unpackScript, 'sh', image.rootfsPath];
  const settings = [...env.map((entry) => `--env=${entry}`), `--workingdir=${workdir}`, `--user=${user}`];
  await workshop.buildah(['from', `--name=${container}`, 'scratch'], {...step, phase});
  await workshop.inContainer({container, command, step: {...step, phase}});
  await workshop.buildah(['config', ...settings, container], {...step, phase});
  await workshop.buildah(['commit', '--quiet', '--disable-compression', '--rm', container, reference], {
    ...step,
    phase,
  });
};
