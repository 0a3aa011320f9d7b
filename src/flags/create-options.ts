import type {CreateOptions} from '../model/create-options.js';
import {usageError} from '../model/errors.js';
import type {LanguageName} from '../model/language.js';
import type {LauncherChoice} from '../model/launcher-name.js';
import type {NetworkMode} from '../model/network.js';
import {parseEnv, parseLabels} from './key-value.js';

interface ParsedFlags {
  readonly language?: LanguageName | undefined;
  readonly image?: string | undefined;
  readonly launcher: LauncherChoice;
  readonly cpu: number;
  readonly mem: number;
  readonly network: NetworkMode;
  readonly persist: boolean;
  readonly volume?: string | undefined;
  readonly disk?: number | undefined;
  readonly name?: string | undefined;
  readonly label?: string[] | undefined;
  readonly env?: string[] | undefined;
  readonly 'idle-timeout'?: number | undefined;
}

/** What the flags of `create` and `temp` ask for; throws USAGE where neither language nor image is given. */
export const toCreateOptions = (
  flags: ParsedFlags,
  env: Readonly<Record<string, string | undefined>>,
): CreateOptions => {
  if (flags.language === undefined && flags.image === undefined) {
    throw usageError('Neither a language nor an image was given.', 'add --language python, or --image REF');
  }
  return {
    language: flags.language ?? null,
    image: flags.image ?? null,
    launcher: flags.launcher,
    cpus: flags.cpu,
    memoryMib: flags.mem,
    network: flags.network,
    persist: flags.persist || flags.volume !== undefined,
    volume: flags.volume ?? null,
    diskMib: flags.disk ?? null,
    guestVolumes: parseGuestVolumes(env.AGENT_ENABLE_GUEST_VOLUMES),
    name: flags.name ?? null,
    labels: parseLabels(flags.label),
    env: parseEnv(flags.env, env),
    idleTimeoutMs: flags['idle-timeout'] ?? 0,
  };
};

const parseGuestVolumes = (value: string | undefined): boolean => {
  if (value === undefined || value === '' || value === '0') return false;
  if (value === '1') return true;
  throw usageError(`AGENT_ENABLE_GUEST_VOLUMES is '${value}'.`, 'set it to 1, or to 0, or unset it');
};
