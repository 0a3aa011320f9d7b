import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {recordPath} from '../../src/image/layout.js';
import {parseStored} from '../../src/image/volume-images.js';
import {AgentError} from '../../src/model/errors.js';
import {silentProgress} from '../../src/model/progress.js';
import {type FakeBuildah, makeFakeBuildah} from './fake-buildah.js';
import {createTestStore, type TestStore} from './stored-image.js';

const V = '/Volumes/a b';
const id = 'a'.repeat(64);
const digest = `sha256:${'d'.repeat(64)}`;
const name = `localhost/agent/image:${'d'.repeat(64)}`;
const reference = 'docker.io/library/alpine:3';
const architecture = process.arch === 'x64' ? 'amd64' : process.arch;

const inspected = JSON.stringify({
  FromImageDigest: digest,
  OCIv1: {architecture, os: 'linux', config: {Env: ['A=b'], WorkingDir: '/w', User: '5'}},
});
const stored = JSON.stringify([{id: `sha256:${id}`, names: [reference, name], size: '3.14 MB'}]);

/** Has one image after the pull. */
const oneImage = `case $command in
  pull) touch "$HOME/pulled"; echo ${id};;
  images) if [ -e "$HOME/pulled" ]; then echo '${stored}'; else echo '[]'; fi;;
  inspect) case $last in */image:*) [ ! -e "$HOME/lost" ] || { echo "Error: x: image not known" >&2; exit 125; };;
    esac; echo '${inspected}';;
  rmi) [ ! -e "$HOME/used" ] || { echo "Error: image used by 0: image is in use by a container" >&2; exit 125; };;
esac`;

let folder: string;
let there: TestStore;
let buildah: FakeBuildah;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-volume-'));
  await open(oneImage);
});
afterEach(async () => {
  await there.remove();
  await rm(folder, {recursive: true, force: true});
});

const open = async (body: string, storageVolume = async () => V): Promise<void> => {
  await there?.remove();
  buildah = await makeFakeBuildah(folder, body);
  there = await createTestStore(undefined, {env: buildah.env, storageVolume});
};
const work = () => ({progress: silentProgress, signal: new AbortController().signal});
const pull = (wanted = reference) => there.store.pull({...work(), reference: wanted});
/** The subcommand and its last argument, of each call. */
const asked = () => buildah.calls().map((args) => `${args[3]} ${args.at(-1)}`);
const nobody = () => [];

describe('a pull', () => {
  it("asks buildah for exactly this, in krunvm's storage, with our settings", async () => {
    await pull();
    const settings = (file: string) => join(there.containersFolder, file);
    const flags = [
      `--root=${V}/root`,
      `--runroot=${V}/runroot`,
      `--registries-conf=${settings('registries.conf')}`,
    ];
    expect(buildah.calls()).toEqual(
      [
        ['images', '--json', '--no-trunc'],
        [
          'pull',
          '--policy=always',
          '--retry=1',
          '--retry-delay=1s',
          `--signature-policy=${settings('policy.json')}`,
          '--os=linux',
          '--',
          `docker://${reference}`,
        ],
        ['inspect', '--type=image', id],
        ['tag', id, name],
        ['images', '--json', '--no-trunc'],
        ['rmi', '--', reference],
      ].map((args) => [...flags, ...args]),
    );
    expect(buildah.seen()).toMatchObject({CONTAINERS_STORAGE_CONF: settings('storage.conf')});
    expect(buildah.seen().TMPDIR).toContain(there.containersFolder);
    expect(await readFile(settings('storage.conf'), 'utf8')).toContain('driver = "vfs"');
  });

  it('leaves a record, and nothing else', async () => {
    const image = await pull();
    expect(image).toEqual({
      digest,
      references: [reference],
      rootfsPath: null,
      sizeBytes: 3_140_000,
      architecture: process.arch,
      config: {env: ['A=b'], workdir: '/w', user: '5'},
      createdAt: expect.any(String),
    });
    expect(there.store.find('alpine:3')).toEqual(image);
    expect(there.store.list()).toMatchObject({images: [{digest}], broken: []});
    expect(await readdir(there.imagesFolder)).toEqual(['refs', digest.replace(':', '-')].sort());
    expect(await readdir(there.containersFolder)).toEqual(['policy.json', 'registries.conf', 'storage.conf']);
  });

  it('out of a file takes away first what a killed one has left, and only such a one does', async () => {
    await pull('oci:/lib');
    await pull();
    expect(asked().filter((line) => line.includes('pulled-by-agent'))).toEqual([
      'rmi localhost/pulled-by-agent:latest',
      'pull oci:pulled-by-agent',
    ]);
  });

  it.each([
    ['files: one at a time, since buildah finds them by names of their own', 'oci:', 1],
    ['registries: at the same time', 'registry.test', 2],
  ])('out of %s', async (_, source, together) => {
    // Each waits for the other, for a second at most.
    const meet = `n=0; touch "$HOME/at-$$"
      while now=$(ls "$HOME" | grep -c ^at-); [ $now -lt 2 ] && [ $n -lt 10 ]; do sleep 0.1; n=$((n + 1)); done
      echo $now >> "$HOME/together"; sleep 0.2; rm "$HOME/at-$$"`;
    await open(oneImage.replace('pull)', () => `pull) ${meet};`));
    await Promise.all(['/lib', '/bin'].map((name) => pull(`${source}${name}`)));
    const counts = (await readFile(join(folder, 'together'), 'utf8')).trim().split('\n').map(Number);
    expect(Math.max(...counts)).toBe(together);
  });

  it('without a volume tells its mend before buildah is asked', async () => {
    await open(oneImage, async () => {
      throw new AgentError('LAUNCHER_UNAVAILABLE', 'no volume', {hints: ['run: agent setup']});
    });
    await expect(pull()).rejects.toMatchObject({code: 'LAUNCHER_UNAVAILABLE'});
    expect(buildah.calls()).toEqual([]);
    expect(await readdir(there.root)).toEqual([]);
  });

  it('that nobody answers does not advise to build', async () => {
    await open('[ $command != pull ] || { echo "Error: dial tcp: no such host" >&2; exit 125; }; echo "[]"');
    await expect(pull()).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      hints: [expect.stringContaining('oci-archive:'), expect.stringContaining('HTTPS_PROXY')],
    });
    await expect(pull('localhost/agent/python:debian-12')).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      hints: ['pull one instead: agent image pull --language python', expect.any(String)],
    });
  });
});

describe('an image that is here', () => {
  it('is looked for in the storage, and no registry is asked', async () => {
    const image = await pull();
    const before = buildah.calls().length;
    expect(await there.store.ensure({...work(), reference})).toEqual(image);
    expect(asked().slice(before)).toEqual([`inspect ${name}`]);
  });

  it('is pulled again where the storage has lost it, by a name only', async () => {
    await pull();
    await writeFile(join(folder, 'lost'), '');
    await there.store.ensure({...work(), reference: 'alpine:3'});
    expect(asked().filter((line) => line.startsWith('pull'))).toHaveLength(2);
    await expect(there.store.ensure({...work(), reference: digest})).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      hints: [`pull it again: agent image pull ${reference}`],
    });
  });

  it('is damaged where its record is, and made again by a pull', async () => {
    const image = await pull();
    await writeFile(recordPath(there.imagesFolder, digest), '{"schema": 1, "kind": "storage"');
    expect(there.store.list()).toMatchObject({images: [], broken: [{digest, references: [reference]}]});
    expect(await pull()).toEqual({...image, createdAt: expect.any(String)});
  });
});

describe('removing', () => {
  it('takes it out of the storage with its last reference only', async () => {
    await pull();
    await pull('ghcr.io/a/b:1');
    const before = buildah.calls().length;
    await there.store.remove({reference, usedBy: nobody});
    expect(buildah.calls()).toHaveLength(before);
    expect(await there.store.remove({reference: 'ghcr.io/a/b:1', usedBy: nobody})).toEqual({
      untagged: ['ghcr.io/a/b:1'],
      deletedDigest: digest,
    });
    expect(asked().slice(before)).toEqual([`rmi ${name}`]);
    expect(await readdir(there.imagesFolder)).toEqual(['refs']);
  });

  it('says so where a container keeps it, and lets it be removed later', async () => {
    await pull();
    await writeFile(join(folder, 'used'), '');
    const warnings: string[] = [];
    const onWarning = (text: string) => warnings.push(text);
    expect(await there.store.remove({reference, usedBy: nobody, onWarning})).toEqual({
      untagged: [reference],
      deletedDigest: null,
    });
    expect(warnings).toEqual([expect.stringContaining(`agent image remove ${'d'.repeat(12)}`)]);
    expect(await there.store.prune({usedBy: nobody})).toEqual([]);
    await rm(join(folder, 'used'));
    expect(await there.store.prune({usedBy: nobody})).toEqual([digest]);
    expect(there.store.list()).toEqual({images: [], broken: []});
  });

  it('takes a damaged one too, and one that the storage has lost', async () => {
    await pull();
    await writeFile(recordPath(there.imagesFolder, digest), '');
    await there.store.remove({reference, usedBy: nobody});
    expect(asked().at(-1)).toBe(`rmi ${name}`);
    await pull();
    buildah = await makeFakeBuildah(folder, 'echo "Error: x: image not known" >&2; exit 125');
    expect(await there.store.remove({reference, usedBy: nobody})).toMatchObject({deletedDigest: digest});
  });

  it('begins nothing where the volume is not there', async () => {
    await pull();
    const gone = async () => {
      throw new AgentError('LAUNCHER_UNAVAILABLE', 'no volume');
    };
    const {imagesFolder} = there;
    const without = await createTestStore(undefined, {env: buildah.env, storageVolume: gone, imagesFolder});
    await expect(without.store.remove({reference, usedBy: nobody})).rejects.toMatchObject({
      code: 'LAUNCHER_UNAVAILABLE',
    });
    await without.remove();
    expect(there.store.find(reference)?.references).toEqual([reference]);
  });
});

describe('a build', () => {
  it('of a language is refused at once, with the way to an image', async () => {
    await expect(there.store.buildLanguage({...work(), language: 'ruby'})).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringContaining('The ruby image cannot be built on macOS'),
      hints: [expect.stringContaining('agent image pull --language ruby')],
    });
    expect(await readdir(there.root)).toEqual([]);
  });

  it('of a Containerfile is refused before the file is read', async () => {
    const build = {...work(), file: '/nowhere/Containerfile', context: '/nowhere', tag: 'own:1'};
    await expect(there.store.buildContainerfile(build)).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringContaining("'localhost/own:1' cannot be built on macOS"),
      hints: [expect.stringContaining('registry'), expect.stringContaining('oci-archive:')],
    });
    expect(buildah.calls()).toEqual([]);
    expect(await readdir(there.root)).toEqual([]);
  });
});

describe('what buildah lists', () => {
  it.each([
    ['0 B', 0],
    ['3.01 KB', 3010],
    ['999 MB', 999_000_000],
    ['1e+03 MB', 1_000_000_000],
    ['1.2 GB', 1_200_000_000],
    ['', 0],
    ['much', 0],
  ])('as %j has that many bytes', (size, sizeBytes) => {
    expect(parseStored(JSON.stringify([{id: 'sha256:1', names: null, size}]))).toEqual([
      {id: '1', names: [], sizeBytes},
    ]);
  });

  it('may be nothing, and is refused as anything else', () => {
    expect(parseStored('null')).toEqual([]);
    expect(parseStored('[]')).toEqual([]);
    expect(() => parseStored('')).toThrow(/not understood/);
    expect(() => parseStored('[{"names": 1}]')).toThrow(/not understood/);
  });
});
