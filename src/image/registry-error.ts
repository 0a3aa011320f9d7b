/** What buildah's last words mean: no answer, unknown there, damaged, or not for this machine. Pure. */
import {AgentError} from '../model/errors.js';
import type {ImageLanguage} from '../model/language.js';
import {diskFull, isDiskFull, printable} from './build-failure.js';
import type {FileReference, RegistryReference} from './reference.js';

export type PullFailure =
  | 'disk-full'
  | 'other-platform'
  | 'damaged'
  | 'untrusted'
  | 'denied'
  | 'unknown'
  | 'unreachable'
  | 'other';

// The first that matches counts. Texts of containers/image 5.23 to 5.36 and of Go's net package.
const signs: readonly (readonly [PullFailure, RegExp])[] = [
  ['disk-full', /no space left on device/i],
  // The second: an image out of a file is stored, but not found again by its name and our platform.
  [
    'other-platform',
    /no image found in (?:manifest list|image index) for|locating pulled image .* image not known/i,
  ],
  [
    'damaged',
    /digest did not match|does not match expected digest|unexpected EOF|error (?:creating|applying|reading) layer|gzip: invalid|archive\/tar: invalid|invalid (?:checksum|tar header)|cannot unmarshal|invalid character .* looking for|unsupported (?:manifest|media ?type|docker v2s2)|manifest .* does not (?:look like|have)|blob .* (?:is unexpectedly|size mismatch)|unexpected end of JSON|not a tar/i,
  ],
  [
    'untrusted',
    /x509:|certificate|gave HTTP response to HTTPS client|first record does not look like a TLS/i,
  ],
  ['unreachable', /too ?many ?requests|unexpected HTTP status:? 5\d\d|status code:? 5\d\d/i],
  [
    'denied',
    /unauthorized|authentication required|access to the resource is denied|denied:|40[13] \(|\b(?:401|403)\b/i,
  ],
  [
    'unknown',
    /manifest unknown|name unknown|name invalid|repository .* not found|404 \(Not Found\)|unexpected HTTP status:? 404|status code:? 404|no descriptor found for reference|no such file or directory|does not exist|reading manifest .*not found/i,
  ],
  [
    'unreachable',
    /no such host|connection refused|connection reset|no route to host|network is unreachable|i\/o timeout|timeout|deadline exceeded|server misbehaving|temporary failure|pinging container registry|\bEOF\b|proxyconnect/i,
  ],
];

export const classifyPull = (text: string): PullFailure =>
  signs.find(([, pattern]) => pattern.test(text))?.[0] ?? 'other';

export interface FailedPull {
  readonly source: RegistryReference | FileReference;
  /** The language whose default the reference is, if it is one. */
  readonly language: ImageLanguage | null;
  /** Whether an image can be built here instead. */
  readonly canBuild: boolean;
  /** buildah's last lines. */
  readonly lines: readonly string[];
  readonly cause: unknown;
}

export const pullError = (failed: FailedPull): AgentError => {
  const {source, cause} = failed;
  const lines = lastWords(failed.lines);
  const details = lines.slice(-3);
  const {text} = source;
  if (isDiskFull(lines)) return diskFull(`the image ${text}`, cause);
  switch (classifyPull(lines.join('\n'))) {
    case 'other-platform':
      return otherPlatform({text, details, cause});
    case 'denied':
    case 'unknown':
      return notFound(failed, details);
    case 'untrusted':
    case 'unreachable':
      if (source.kind === 'registry') return unreachable(failed, details);
      break;
    default:
  }
  return new AgentError('IMAGE_UNUSABLE', `The image '${text}' cannot be unpacked.`, {
    details,
    hints: ['try again: a transfer may have been cut', 'agent image pull REF takes another one'],
    cause,
  });
};

/** The registry said nothing, or nothing that can be used. */
export const unreachable = (failed: Omit<FailedPull, 'lines'>, details: readonly string[]): AgentError => {
  const {source, cause} = failed;
  const registry = source.kind === 'registry' ? source.registry : source.path;
  const mistrusted = classifyPull(details.join('\n')) === 'untrusted';
  return new AgentError(
    'REGISTRY_UNREACHABLE',
    `The registry ${registry} cannot be reached for '${source.text}'.`,
    {
      details,
      hints: [
        insteadOf(failed),
        mistrusted
          ? "the registry's certificate must be one that this machine trusts; plain http is for this machine's own registries only"
          : 'check the network, and HTTPS_PROXY if there is a proxy',
      ],
      cause,
    },
  );
};

const insteadOf = ({language, canBuild}: Pick<FailedPull, 'language' | 'canBuild'>): string => {
  if (!canBuild) return 'take the image from a file instead: agent image pull oci-archive:/path/of/file';
  return language === null
    ? 'build an image here instead: agent image build python (or node, ruby, golang)'
    : `build it here instead: agent image build ${language}`;
};

const notFound = (failed: FailedPull, details: readonly string[]): AgentError => {
  const {source, cause} = failed;
  const where = source.kind === 'registry' ? `The registry ${source.registry}` : `'${source.path}'`;
  return new AgentError('IMAGE_NOT_FOUND', `${where} has no image '${source.text}' for us.`, {
    details,
    hints: [
      'check the name and the tag: agent image list shows what is here',
      ...(source.kind === 'registry' ? [`if it is private: buildah login ${source.registry}`] : []),
    ],
    cause,
  });
};

export const otherPlatform = (found: {
  readonly text: string;
  readonly details: readonly string[];
  readonly cause?: unknown;
}): AgentError =>
  new AgentError(
    'IMAGE_UNUSABLE',
    `The image '${found.text}' is not made for this machine (${process.arch}).`,
    {
      details: found.details,
      hints: [`choose one that is made for linux/${process.arch === 'x64' ? 'amd64' : process.arch}`],
      cause: found.cause,
    },
  );

// buildah puts usage and progress before its error, and warnings with timestamps beside it.
const lastWords = (lines: readonly string[]): string[] => {
  const shown = lines.map(printable).filter((line) => line.trim() !== '');
  const errors = shown.filter((line) => /\berror\b|level=fatal/i.test(line) && !/level=warning/.test(line));
  return errors.length > 0 ? errors : shown;
};
