/** What a maker is asked for, as the words of its command line. */
import {type LanguageName, languageNames} from '../model/language.js';
import {type LauncherName, launcherNames} from '../model/launcher-name.js';
import {type NetworkMode, networkModes} from '../model/network.js';

export interface MakerOrder {
  readonly launcher: LauncherName;
  /** Of the image. */
  readonly digest: string;
  readonly cpus: number;
  readonly memoryMib: number;
  readonly network: NetworkMode;
  readonly language: LanguageName | null;
}

export const toWords = ({launcher, digest, cpus, memoryMib, network, language}: MakerOrder): string[] => [
  launcher,
  digest,
  String(cpus),
  String(memoryMib),
  network,
  ...(language === null ? [] : [language]),
];

/** Undefined for words that are no order. */
export const fromWords = (words: readonly string[]): MakerOrder | undefined => {
  const [launcherWord, digest = '', cpuWord, memoryWord, networkWord, languageWord] = words;
  const launcher = launcherNames.find((name) => name === launcherWord);
  const network = networkModes.find((mode) => mode === networkWord);
  const language = languageNames.find((name) => name === languageWord) ?? null;
  const [cpus, memoryMib] = [Number(cpuWord), Number(memoryWord)];
  const isWhole = [cpus, memoryMib].every((count) => Number.isInteger(count) && count > 0);
  if (!launcher || !network || !isWhole || !digest.startsWith('sha256:')) return undefined;
  return {launcher, digest, cpus, memoryMib, network, language};
};
