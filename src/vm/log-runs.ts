/** The past runs of a VM, and those that go on, as their folders tell. Reading changes nothing. */
import {readdir, readFile, stat} from 'node:fs/promises';
import {join} from 'node:path';

export interface Run {
  readonly id: string;
  readonly folder: string;
  /** `interrupted`: whoever ran it has died before it ended. */
  readonly status: 'running' | 'ended' | 'interrupted';
  /** RFC 3339, UTC. */
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly exitCode: number | null;
  readonly limit: string | null;
  /** The shell command, or what else it was: `source`, `file`. */
  readonly program: string | null;
  readonly bytes: {readonly stdout: number; readonly stderr: number; readonly all: number};
}

export const logNames = {stdout: 'stdout.log', stderr: 'stderr.log'} as const;

export type IsAlive = (ref: {readonly pid: number; readonly startedAt: string}) => boolean;

/** Oldest first. A run that is removed meanwhile is none. */
export const readRuns = async (runsFolder: string, isAlive: IsAlive): Promise<Run[]> => {
  const names = await readdir(runsFolder).catch(() => []);
  const runs = await Promise.all(
    names.filter(isRunId).map((id) => readRun(join(runsFolder, id), id, isAlive).catch(() => undefined)),
  );
  return runs
    .filter((run) => run !== undefined)
    .sort((one, other) => one.startedAt.localeCompare(other.startedAt) || one.id.localeCompare(other.id));
};

const isRunId = (name: string): boolean => /^[0-9a-z]{8}$/.test(name);

export const readRun = async (folder: string, id: string, isAlive: IsAlive): Promise<Run> => {
  const receipt = parseReceipt(await readFile(join(folder, 'run.json'), 'utf8').catch(() => ''));
  const made = await stat(folder);
  const [stdout, stderr] = await Promise.all(
    [logNames.stdout, logNames.stderr].map(async (name) => await sizeOf(join(folder, name))),
  );
  const {program} = receipt;
  return {
    id,
    folder,
    status: statusOf(receipt, isAlive),
    startedAt: text(receipt.startedAt) ?? made.ctime.toISOString(),
    endedAt: text(receipt.endedAt),
    exitCode: typeof receipt.exitCode === 'number' ? receipt.exitCode : null,
    limit: text(receipt.limit),
    program: isObject(program) ? (text(program.text) ?? text(program.kind)) : null,
    bytes: {stdout: stdout ?? 0, stderr: stderr ?? 0, all: (stdout ?? 0) + (stderr ?? 0)},
  };
};

type Receipt = Readonly<Record<string, unknown>>;

const parseReceipt = (json: string): Receipt => {
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) ? value : {};
  } catch {
    return {}; // cut short by a full disk, or not there
  }
};

const statusOf = ({status, process}: Receipt, isAlive: IsAlive): Run['status'] => {
  if (status === 'ended') return 'ended';
  const pid = isObject(process) ? process.pid : undefined;
  const startedAt = isObject(process) ? process.startedAt : undefined;
  const isGoing = typeof pid === 'number' && typeof startedAt === 'string' && isAlive({pid, startedAt});
  return isGoing ? 'running' : 'interrupted';
};

const isObject = (value: unknown): value is Receipt => typeof value === 'object' && value !== null;

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

const sizeOf = async (path: string): Promise<number> =>
  await stat(path).then(
    ({size}) => size,
    () => 0,
  );
