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
): string[] => (entries ?? []).flatMap((entry) => parseEntry(entry, env));

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
