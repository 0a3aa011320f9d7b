/** Flags that several commands share, each with the check that turns its text into a value. */
import * as Flags from '@oclif/core/flags';
import {usageError} from '../model/errors.js';
import {type LanguageName, parseLanguage} from '../model/language.js';
import {launcherNames} from '../model/launcher-name.js';
import {isName} from '../model/name.js';
import {type NetworkMode, networkModes} from '../model/network.js';
import {parseDuration} from './duration.js';
import {cpuRange, diskRange, idleRange, memoryRange, outputRange, timeoutRange} from './limits.js';
import {parseSize} from './size.js';

const MIB = 1024 ** 2;

const duration = (flag: string, range: {readonly min: number; readonly max: number}) =>
  Flags.custom<number>({parse: async (input) => parseDuration(input, flag, range)});

const parseCpus = (input: string): number => {
  const cpus = Number(input);
  if (/^\d+$/.test(input) && cpus >= cpuRange.min && cpus <= cpuRange.max) return cpus;
  throw usageError(
    `--cpu '${input}' is out of range.`,
    `give a whole number from ${cpuRange.min} to ${cpuRange.max}`,
  );
};

const parseName = (input: string, flag: string): string => {
  if (isName(input)) return input;
  throw usageError(
    `--${flag} '${input}' cannot be used.`,
    'use letters, digits, dots, dashes and underscores, at most 63',
  );
};

const parseNetwork = (input: string): NetworkMode => {
  const mode = networkModes.find((known) => known === input);
  if (mode) return mode;
  throw usageError(`Unknown network '${input}'.`, `use one of: ${networkModes.join(', ')}`);
};

export const languageFlag = {
  language: Flags.custom<LanguageName>({parse: async (input) => parseLanguage(input)})({
    char: 'l',
    summary: 'python, node, typescript, ruby or golang (aliases: py, js, ts, rb, go)',
  }),
};

export const createFlags = {
  ...languageFlag,
  image: Flags.string({summary: 'OCI image or local image to use instead of the language’s own'}),
  cpu: Flags.custom<number>({parse: async (input) => parseCpus(input)})({
    summary: 'virtual CPUs',
    default: 1,
  }),
  mem: Flags.custom<number>({
    parse: async (input) => Math.floor(parseSize(input, 'mem', memoryRange) / MIB),
  })({summary: 'memory in MiB, or with a unit: 512M, 2G', default: 256}),
  network: Flags.custom<NetworkMode>({parse: async (input) => parseNetwork(input)})({
    summary:
      'none: no network at all. allow_all: outgoing connections, this machine’s loopback included; with krunvm the guest’s servers can be reached too',
    default: 'none',
  }),
  persist: Flags.boolean({
    default: false,
    summary:
      'give the VM a volume at /persist that outlives stop and clean --keep-persist; its name is that of the VM',
  }),
  volume: Flags.string({
    summary:
      'the volume at /persist by its name: a new one, or one that no VM has any more; implies --persist',
    parse: async (input) => parseName(input, 'volume'),
  }),
  disk: Flags.custom<number>({
    parse: async (input) => Math.floor(parseSize(input, 'disk', diskRange) / MIB),
  })({
    summary:
      'size of the disk for what the VM writes, 8G without it; vm temp writes into its memory unless this is given; not with krunvm',
  }),
  label: Flags.string({summary: 'label of the form key=value', multiple: true, multipleNonGreedy: true}),
};

export const launcherFlag = {
  launcher: Flags.option({options: ['auto', ...launcherNames] as const})({
    summary: 'what boots the VM; auto takes krunvm where it has booted a guest, else qemu',
    default: 'auto',
    env: 'AGENT_LAUNCHER',
  }),
};

export const nameFlag = {
  name: Flags.string({
    summary: 'a name to use instead of the id',
    parse: async (input) => parseName(input, 'name'),
  }),
  'idle-timeout': duration(
    'idle-timeout',
    idleRange,
  )({
    summary: 'how long the VM stays up while nobody uses it; 0 is for ever',
    default: 30 * 60_000,
    defaultHelp: async () => '30m',
  }),
};

export const envFlag = {
  env: Flags.string({
    char: 'e',
    summary: 'NAME=value for the command, or NAME to pass on our own',
    multiple: true,
    multipleNonGreedy: true,
  }),
};

export const runFlags = {
  ...envFlag,
  file: Flags.string({
    char: 'f',
    summary: 'file or folder to put into /in; without --cmd, --code or --hello it is the program',
    multiple: true,
    multipleNonGreedy: true,
  }),
  timeout: duration(
    'timeout',
    timeoutRange,
  )({
    summary: 'time for the command: seconds, or 30s, 5m, 1h',
    default: 30_000,
    defaultHelp: async () => '30s',
  }),
  'max-output': Flags.custom<number>({parse: async (input) => parseSize(input, 'max-output', outputRange)})({
    summary:
      'output to keep, both streams together; what comes after it is dropped; in MiB, or as 512K or 2G',
    default: 256 * MIB,
    defaultHelp: async () => '256M',
  }),
};

export const shellTimeoutFlag = {
  timeout: duration('timeout', {min: 0, max: timeoutRange.max})({
    summary: 'time for the shell: seconds, or 30s, 5m, 1h; 0 is no limit',
    default: 0,
    defaultHelp: async () => '0',
  }),
};

export const programFlags = {
  cmd: Flags.string({
    char: 'c',
    summary: 'shell command; source in the VM’s language where no shell can parse it',
  }),
  code: Flags.string({summary: 'source code in the VM’s language'}),
  hello: Flags.boolean({default: false, summary: 'run the language’s own hello world'}),
};

export const selectionFlags = {
  vm: Flags.string({
    summary: 'id, unambiguous start of an id, or name',
    multiple: true,
    multipleNonGreedy: true,
  }),
  all: Flags.boolean({default: false, summary: 'every VM'}),
  label: Flags.string({
    summary: 'every VM with this label, key=value',
    multiple: true,
    multipleNonGreedy: true,
  }),
};

export const jsonFlag = {json: Flags.boolean({default: false, summary: 'write JSON to standard output'})};
