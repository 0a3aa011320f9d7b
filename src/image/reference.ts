/** Image references: the OCI distribution grammar, local tags, and images in files. Pure. */
import {usageError} from '../model/errors.js';

export type Reference = RegistryReference | LocalReference | FileReference;

/** `registry/repository[:tag][@digest]`, short names completed as docker does. */
export interface RegistryReference {
  readonly kind: 'registry';
  /** The whole reference, canonical: what is stored and shown. */
  readonly text: string;
  /** Host with optional port, for example `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: string | null;
}

/** `localhost/name:tag`: made here, never asked of a registry. */
export interface LocalReference {
  readonly kind: 'local';
  readonly text: string;
}

/** An image in a folder or an archive, named by its absolute path. */
export interface FileReference {
  readonly kind: 'file';
  readonly text: string;
  readonly transport: FileTransport;
  readonly path: string;
  readonly tag: string | null;
}

const fileTransports = ['oci', 'oci-archive', 'docker-archive'] as const;
export type FileTransport = (typeof fileTransports)[number];

const MAX_LENGTH = 4096;
const MAX_NAME = 255;
const SHOWN_LENGTH = 80;
const hostPart = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const registryPattern = new RegExp(
  `^(?:${hostPart}(?:\\.${hostPart})*|\\[[0-9A-Fa-f:.]+\\])(?::(?<port>[0-9]{1,5}))?$`,
);
const repositoryPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^sha256:[0-9a-f]{64}$/;
// Known to buildah, but not to us: they would reach into other stores and folders of the host.
const otherTransport = /^(?:dir|docker|docker-daemon|containers-storage|ostree|sif|tarball|atomic|https?):/;

/** Reads a reference as the user wrote it; anything else is a usage error, before anything runs. */
export const parseReference = (input: string): Reference => {
  if (input.length > MAX_LENGTH) throw refuse(input, `it is longer than ${MAX_LENGTH} characters`);
  if (input === '') throw refuse(input, 'it is empty');
  if (/[^\x21-\x7e]/.test(input)) {
    throw refuse(input, 'it has a space, a control character or a letter outside of ASCII');
  }
  const transport = fileTransports.find((name) => input.startsWith(`${name}:`));
  if (transport !== undefined) return parseFile(input, transport);
  if (otherTransport.test(input)) {
    throw refuse(input, `images in files are written ${fileTransports.map((t) => `${t}:/path`).join(', ')}`);
  }
  return parseRegistry(input);
};

/** As `parseReference`, but a name without a registry is one made here: `hello` is `localhost/hello:latest`. */
export const parseLocalTag = (input: string): LocalReference => {
  const given = parseReference(input.includes('/') ? input : `localhost/${input}`);
  if (given.kind === 'local') return given;
  throw refuse(input, 'a tag for an image made here must be a plain name or begin with localhost/');
};

/**
 * What buildah is given: always with its transport, so that nothing can pass for an option. Files go by the name that
 * `link` has in the folder where buildah runs: buildah makes an image name of a path, which not every path can be.
 */
export const buildahSource = (reference: RegistryReference | FileReference, link: string): string => {
  if (reference.kind === 'file') {
    return `${reference.transport}:${link}${reference.tag === null ? '' : `:${reference.tag}`}`;
  }
  const name = `docker://${reference.registry}/${reference.repository}`;
  // buildah refuses a tag beside a digest; the digest alone says it exactly.
  return reference.digest === null ? `${name}:${reference.tag}` : `${name}@${reference.digest}`;
};

/** Registries on this machine may speak plain http, as docker allows; all others need TLS. */
export const isLoopback = (registry: string): boolean =>
  /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]+)?$/.test(registry);

const parseFile = (input: string, transport: FileTransport): FileReference => {
  const rest = input.slice(transport.length + 1);
  const colon = rest.lastIndexOf(':');
  const hasTag = colon > rest.lastIndexOf('/');
  const path = hasTag ? rest.slice(0, colon) : rest;
  if (!path.startsWith('/')) throw refuse(input, 'the path must be absolute');
  if (path.includes(':')) throw refuse(input, 'the path must not have a colon');
  if (path.includes(',')) throw refuse(input, 'the path must not have a comma');
  if (hasTag && transport === 'docker-archive')
    throw refuse(input, 'docker-archive: takes a path and no tag');
  const tag = hasTag ? rest.slice(colon + 1) : null;
  if (tag !== null && !tagPattern.test(tag)) throw refuse(input, 'its tag is not valid');
  return {kind: 'file', text: input, transport, path, tag};
};

const parseRegistry = (input: string): RegistryReference | LocalReference => {
  const [named = '', digest = null, ...more] = input.split('@');
  if (more.length > 0 || (digest !== null && !digestPattern.test(digest))) {
    throw refuse(input, 'its digest is not of the form @sha256:<64 hex digits>');
  }
  const {name, tag} = splitTag(named);
  if (tag !== null && !tagPattern.test(tag)) throw refuse(input, `its tag '${shorten(tag)}' is not valid`);
  const {registry, repository} = splitRegistry(name);
  checkName({input, registry, repository});
  const shownTag = tag ?? (digest === null ? 'latest' : null);
  const text = `${registry}/${repository}${shownTag === null ? '' : `:${shownTag}`}${digest === null ? '' : `@${digest}`}`;
  if (registry === 'localhost') {
    if (digest !== null) throw refuse(input, 'an image made here has a tag and no @digest');
    return {kind: 'local', text};
  }
  return {kind: 'registry', text, registry, repository, tag: shownTag, digest};
};

const splitTag = (named: string): {name: string; tag: string | null} => {
  const colon = named.lastIndexOf(':');
  return colon > named.lastIndexOf('/')
    ? {name: named.slice(0, colon), tag: named.slice(colon + 1)}
    : {name: named, tag: null};
};

const splitRegistry = (name: string): {registry: string; repository: string} => {
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  const isHost = /[.:[]/.test(first) || first === 'localhost';
  const registry = isHost ? first.toLowerCase() : 'docker.io';
  const repository = isHost ? name.slice(slash + 1) : name;
  if (registry !== 'docker.io' && registry !== 'index.docker.io') return {registry, repository};
  return {registry: 'docker.io', repository: repository.includes('/') ? repository : `library/${repository}`};
};

const checkName = (parts: {input: string; registry: string; repository: string}): void => {
  const {input, registry, repository} = parts;
  const port = registryPattern.exec(registry)?.groups?.port;
  if (!registryPattern.test(registry) || (port !== undefined && Number(port) > 65_535)) {
    throw refuse(input, `'${shorten(registry)}' is not a registry's host`);
  }
  const wrong = repository.split('/').find((part) => !repositoryPattern.test(part));
  if (wrong !== undefined) {
    throw refuse(
      input,
      `'${shorten(wrong)}' is not a name: use lower-case letters, digits, and single . _ - between them`,
    );
  }
  if (registry.length + 1 + repository.length > MAX_NAME) {
    throw refuse(input, `its name is longer than ${MAX_NAME} characters`);
  }
};

const refuse = (input: string, reason: string) =>
  usageError(
    `Invalid image reference '${shorten(input)}': ${reason}.`,
    'write it like python:3.12-slim, ghcr.io/owner/name:tag or oci:/path/to/layout',
    'agent image list shows the images that are here',
  );

const shorten = (text: string): string => {
  const shown = text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
  return shown.replace(/[^\x20-\x7e…]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
};
