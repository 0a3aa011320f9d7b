import {usageError} from '../model/errors.js';

const MIB = 1024 ** 2;
const units: Readonly<Record<string, number>> = {'': MIB, k: 1024, m: MIB, g: 1024 ** 3};

/** Bytes from MiB (`512`) or `64k`, `512M`, `2G`, with or without `iB` or `B`. */
export const parseSize = (
  input: string,
  flag: string,
  {min, max}: {readonly min: number; readonly max: number},
): number => {
  const match = /^(\d+(?:\.\d+)?)([kmg])?(?:i?b)?$/i.exec(input);
  const factor = units[(match?.[2] ?? '').toLowerCase()];
  if (!match?.[1] || factor === undefined) {
    throw usageError(
      `--${flag} '${input}' is not a size.`,
      `give MiB, or a number with a unit: --${flag} 512, --${flag} 512M, --${flag} 2G`,
    );
  }
  const bytes = Math.round(Number(match[1]) * factor);
  if (bytes < min || bytes > max) {
    throw usageError(
      `--${flag} '${input}' is out of range.`,
      `give something from ${inMib(min)} to ${inMib(max)}`,
    );
  }
  return bytes;
};

const inMib = (bytes: number): string => (bytes < MIB ? `${bytes} bytes` : `${Math.floor(bytes / MIB)} MiB`);
