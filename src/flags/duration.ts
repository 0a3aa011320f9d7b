import {usageError} from '../model/errors.js';

const units: Readonly<Record<string, number>> = {'': 1_000, ms: 1, s: 1_000, m: 60_000, h: 3_600_000};

/** Milliseconds from seconds (`30`) or `500ms`, `30s`, `5m`, `1h`. */
export const parseDuration = (
  input: string,
  flag: string,
  {min, max}: {readonly min: number; readonly max: number},
): number => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(input);
  const factor = units[match?.[2] ?? ''];
  if (!match?.[1] || factor === undefined) {
    throw usageError(
      `--${flag} '${input}' is not a time.`,
      `give seconds, or a number with a unit: --${flag} 30, --${flag} 5m, --${flag} 1h`,
    );
  }
  const ms = Math.round(Number(match[1]) * factor);
  if (ms < min || ms > max) {
    throw usageError(
      `--${flag} '${input}' is out of range.`,
      `give something from ${min / 1000} s to ${max / 1000} s`,
    );
  }
  return ms;
};
