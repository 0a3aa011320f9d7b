/** Lets a Containerfile build upon images that are here: they are unpacked into the workshop's storage first. */
import type {GuestImage} from '../model/guest-image.js';
import {findImage, readCatalog} from './catalog.js';
import type {ImageHost, Step} from './image-host.js';
import {parseReference} from './reference.js';
import type {Workshop} from './workshop.js';

/** The `localhost/` images that a Containerfile's lines about bases, or the arguments for them, name. */
export const namedLocally = (build: {
  readonly text: string;
  readonly buildArgs: readonly string[];
}): readonly string[] => {
  const lines = build.text.split('\n').filter((line) => /^\s*(?:FROM|ARG)\s|\bfrom=/i.test(line));
  const found = [...lines, ...build.buildArgs].flatMap(
    (line) => line.match(/(?<![\w./:-])localhost\/[\w./:-]*\w/g) ?? [],
  );
  return [...new Set(found)];
};

/** Unpacks those that are here; returns those that are not, of which buildah will complain if it needs them. */
export const importBases = async (options: {
  readonly host: ImageHost;
  readonly workshop: Workshop;
  readonly names: readonly string[];
  readonly step: Omit<Step, 'phase'>;
}): Promise<readonly string[]> => {
  const {host, workshop, names, step} = options;
  const catalog = readCatalog(host.imagesFolder);
  const missing: string[] = [];
  for (const [index, name] of names.entries()) {
    const reference = parseReference(name).text;
    const image = findImage(catalog, reference);
    const rootfs = image?.rootfsPath ?? null;
    if (image === undefined || rootfs === null) missing.push(reference);
    else await importImage({workshop, image, rootfs, reference, container: `base-${index}`, step});
  }
  return missing;
};

// The root folder of an empty container is not writable as found.
const unpackScript = 'set -eu; fsck.erofs --extract="$2" "$1"; chmod 755 "$2"';

const importImage = async (options: {
  readonly workshop: Workshop;
  readonly image: GuestImage;
  readonly rootfs: string;
  readonly reference: string;
  readonly container: string;
  readonly step: Omit<Step, 'phase'>;
}): Promise<void> => {
  const {workshop, image, rootfs, reference, container, step} = options;
  const {env, workdir, user} = image.config;
  const phase = `unpacking ${reference}`;
  const command = ['sh', '-c', unpackScript, 'sh', rootfs];
  const settings = [...env.map((entry) => `--env=${entry}`), `--workingdir=${workdir}`, `--user=${user}`];
  await workshop.buildah(['from', `--name=${container}`, 'scratch'], {...step, phase});
  await workshop.inContainer({container, command, step: {...step, phase}});
  await workshop.buildah(['config', ...settings, container], {...step, phase});
  await workshop.buildah(['commit', '--quiet', '--disable-compression', '--rm', container, reference], {
    ...step,
    phase,
  });
};
