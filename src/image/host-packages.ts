/** What this machine's package system says: its distribution, its mirrors, its proxy. */
import {access, readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {AgentError} from '../model/errors.js';
import {run} from '../process/run.js';
import {chooseDistribution, type Distribution} from './distribution.js';

const MERGED_USR_HOOK = '/usr/share/mmdebstrap/hooks/maybe-merged-usr';
const DEBIAN_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Throws BUILD_FAILED where no packages can be trusted. */
export const readDistribution = async (): Promise<Distribution> => {
  const distribution = chooseDistribution({
    osRelease: await readText('/etc/os-release'),
    files: await sourceFiles(),
    hasDebianKeyring: await exists(DEBIAN_KEYRING),
  });
  if (distribution !== null) return distribution;
  throw new AgentError(
    'BUILD_FAILED',
    'Images are built from Debian packages, and this machine has no key for them.',
    {
      hints: ['install the package debian-archive-keyring', 'or use an OCI image: agent image pull REF'],
    },
  );
};

const sourceFiles = async (): Promise<{name: string; text: string}[]> => {
  const parts = '/etc/apt/sources.list.d';
  const names = await readdir(parts).catch(() => []);
  const paths = [
    '/etc/apt/sources.list',
    ...names.filter((name) => /\.(?:list|sources)$/.test(name)).map((name) => join(parts, name)),
  ];
  return await Promise.all(paths.map(async (path) => ({name: path, text: await readText(path)})));
};

/** Options for apt: mmdebstrap does not read the host's apt.conf, but behind a proxy nothing comes without it. */
export const readAptProxy = async (signal: AbortSignal): Promise<string[]> => {
  const keys = ['Acquire::http::Proxy', 'Acquire::https::Proxy'];
  try {
    const {stdout} = await run({
      file: 'apt-config',
      args: ['dump', '--format=%f "%v";%n', ...keys],
      phase: 'reading apt.conf',
      timeoutMs: 10_000,
      signal,
    });
    return stdout.split('\n').filter((line) => /^Acquire::https?::Proxy "[^"\s]+";$/.test(line));
  } catch {
    return []; // no apt here: mmdebstrap will say what it lacks
  }
};

/** mmdebstrap's own hook for systems whose /bin is /usr/bin: it saves a package that pulls in all of perl. */
export const findMergedUsrHook = async (): Promise<string | null> =>
  (await exists(MERGED_USR_HOOK)) ? MERGED_USR_HOOK : null;

const readText = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
