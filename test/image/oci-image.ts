/** Makes small OCI images by hand, as blobs and as layouts on disk. */
import {createHash} from 'node:crypto';
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {buffer} from 'node:stream/consumers';
import {gzipSync} from 'node:zlib';
import {type Header, pack} from 'tar-stream';

export interface OciBlob {
  readonly digest: string;
  readonly content: Buffer;
}

export interface OciImage {
  readonly manifest: OciBlob & {readonly mediaType: string};
  /** Everything that the manifest leads to. */
  readonly blobs: readonly OciBlob[];
  readonly layers: readonly OciBlob[];
}

export interface OciImageOptions {
  /** One list of tar entries a layer; by default one layer with `/hello`. */
  readonly layers?: readonly (readonly TarEntry[])[];
  readonly architecture?: string;
  readonly os?: string;
  readonly config?: Readonly<Record<string, unknown>>;
}

export type TarEntry = Pick<Header, 'name'> & Partial<Header> & {readonly content?: string | Buffer};

const helloLayer: readonly TarEntry[] = [{name: 'hello', content: 'hello\n'}];
const hostArchitecture = process.arch === 'x64' ? 'amd64' : process.arch;
const manifestType = 'application/vnd.oci.image.manifest.v1+json';
export const indexType = 'application/vnd.oci.image.index.v1+json';

export const makeImage = async (options: OciImageOptions = {}): Promise<OciImage> => {
  const {layers: trees = [helloLayer], config = {}} = options;
  const {architecture = hostArchitecture, os = 'linux'} = options;
  const tars = await Promise.all(trees.map((entries) => makeTar(entries)));
  const layers = tars.map((tar) => blob(gzipSync(tar)));
  const settings = blob(
    JSON.stringify({
      architecture,
      os,
      config,
      rootfs: {type: 'layers', diff_ids: tars.map((tar) => blob(tar).digest)},
    }),
  );
  const manifest = blob(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: describe(settings, 'application/vnd.oci.image.config.v1+json'),
      layers: layers.map((layer) => describe(layer, 'application/vnd.oci.image.layer.v1.tar+gzip')),
    }),
  );
  return {manifest: {...manifest, mediaType: manifestType}, blobs: [settings, ...layers], layers};
};

/** One image for several platforms. */
export const makeIndex = (entries: readonly {image: OciImage; architecture: string}[]): OciImage => {
  const manifest = blob(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: indexType,
      manifests: entries.map(({image, architecture}) => ({
        ...describe(image.manifest, image.manifest.mediaType),
        platform: {architecture, os: 'linux'},
      })),
    }),
  );
  const blobs = entries.flatMap(({image}) => [image.manifest, ...image.blobs]);
  return {manifest: {...manifest, mediaType: indexType}, blobs, layers: []};
};

/** Writes the image as an OCI layout that `oci:<folder>:<tag>` names. */
export const writeLayout = async (folder: string, tag: string, image: OciImage): Promise<void> => {
  const blobs = join(folder, 'blobs', 'sha256');
  await mkdir(blobs, {recursive: true});
  for (const {digest, content} of [image.manifest, ...image.blobs]) {
    await writeFile(join(blobs, digest.slice('sha256:'.length)), content);
  }
  const entry = {
    ...describe(image.manifest, image.manifest.mediaType),
    annotations: {'org.opencontainers.image.ref.name': tag},
  };
  await writeFile(join(folder, 'index.json'), JSON.stringify({schemaVersion: 2, manifests: [entry]}));
  await writeFile(join(folder, 'oci-layout'), JSON.stringify({imageLayoutVersion: '1.0.0'}));
};

const makeTar = async (entries: readonly TarEntry[]): Promise<Buffer> => {
  const tar = pack();
  for (const {content, ...headers} of entries) tar.entry({...headers, mtime: new Date(0)}, content ?? '');
  tar.finalize();
  return await buffer(tar);
};

const blob = (content: Buffer | string): OciBlob => {
  const bytes = Buffer.from(content);
  return {digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, content: bytes};
};

const describe = ({digest, content}: OciBlob, mediaType: string) => ({
  mediaType,
  digest,
  size: content.length,
});
