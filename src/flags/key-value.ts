import {usageError} from '../model/errors.js';

/** `k=v` for each `--label`. */
export const parseLabels = (labels: readonly string[] | undefined): Record<string, string> =>
  Object.fromEntries((labels ?? []).map(parseLabel));

const parseLabel = (label: string): [string, string] => {
  const match = /^([A-Za-z0-9][A-Za-z0-9._/-]{0,62})=([^\u0000-\u001f]{0,255})$/.exec(label);
  if (match?.[1] !== undefined && match[2] !== undefined) return [match[1], match[2]];
  throw usageError(`--label '${label}' is not of the form key=value.`, 'for example: --label team=search');
};

/** `NAME=value` for each `--env`; a bare `NAME` takes the value from our own environment, if it is set there. */
export const parseEnv = (
  entries: readonly string[] | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string[] => {
  const parsed = (entries ?? []).flatMap((entry) => parseEntry(entry, env));
  const bytes = parsed.reduce((sum, entry) => sum + Buffer.byteLength(entry), 0);
  if (bytes <= MAX_ENV_BYTES) return parsed;
  throw usageError(
    `--env takes ${Math.ceil(bytes / 1024)} KiB in all, and ${MAX_ENV_BYTES / 1024} KiB is the most.`,
    'pass large data on standard input, or as a file: --file PATH',
  );
};

/** A VM's and a command's together, with the command itself, still fit what a guest takes: 1 MiB. */
const MAX_ENV_BYTES = 256 * 1024;

const parseEntry = (entry: string, env: Readonly<Record<string, string | undefined>>): string[] => {
  const [name = ''] = entry.split('=', 1);
  if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)) {
    throw usageError(
      `--env '${entry}' is not of the form NAME=value or NAME.`,
      'for example: --env DEBUG=1, --env HOME',
    );
  }
  if (entry.includes('=')) return [entry];
  const value = env[name];
  return value === undefined ? [] : [`${name}=${value}`];
};
