/** `vm logs`: what past runs of a VM have said, what one says that goes on, and the console. */
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {usageError} from '../model/errors.js';
import type {Sink} from '../model/sink.js';
import type {VmRecord} from '../model/vm-record.js';
import {settle} from './lifecycle.js';
import {type LogReader, openLog} from './log-follow.js';
import {logNames, type Run, readRun, readRuns} from './log-runs.js';
import {vmFolder} from './reap.js';
import {runsFolder} from './run-files.js';
import {findVm} from './select-vms.js';
import type {VmContext} from './vm-context.js';

const POLL_MS = 100;

/** Oldest first. */
export const listRuns = async (context: VmContext, wanted: string): Promise<Run[]> =>
  await runsOf(context, recordOf(context, wanted));

/** As the living processes show it. */
const recordOf = (context: VmContext, wanted: string): VmRecord =>
  settle(findVm(context.storeToRead()?.list().records ?? [], wanted), context.isAlive);

const runsOf = (context: VmContext, {id}: VmRecord): Promise<Run[]> =>
  readRuns(runsFolder(vmFolder(context, id)), context.isAlive);

interface ShowOptions {
  /** The last lines of each stream; null: all of them. */
  readonly tail: number | null;
  /** On, until what writes has ended. */
  readonly follow: boolean;
}

export interface RunLogRequest extends ShowOptions {
  readonly vm: string;
  /** The beginning of a run's id; null: the last run. */
  readonly run: string | null;
  readonly stdout: Sink;
  readonly stderr: Sink;
}

/** The run that was shown; undefined where the VM has run nothing. Throws USAGE where there is no such run. */
export const showRun = async (context: VmContext, request: RunLogRequest): Promise<Run | undefined> => {
  const runs = await runsOf(context, recordOf(context, request.vm));
  const run = request.run === null ? runs.at(-1) : findRun(runs, request.run, request.vm);
  if (!run) return undefined;
  const isGoing = async (): Promise<boolean> =>
    (await readRun(run.folder, run.id, context.isAlive).catch(() => undefined))?.status === 'running';
  const logs = [
    {path: join(run.folder, logNames.stdout), sink: request.stdout},
    {path: join(run.folder, logNames.stderr), sink: request.stderr},
  ];
  await show(context, logs, request, isGoing);
  return run;
};

const findRun = (runs: readonly Run[], wanted: string, vm: string): Run => {
  const [match, another] = wanted === '' ? [] : runs.filter(({id}) => id.startsWith(wanted));
  const hint = `see what there is: agent vm logs --vm ${vm} --list`;
  if (!match) throw usageError(`VM '${vm}' has no run '${wanted}'.`, hint);
  if (another) throw usageError(`'${wanted}' matches several runs of VM '${vm}'.`, 'type more of it', hint);
  return match;
};

export interface ConsoleRequest extends ShowOptions {
  readonly vm: string;
  readonly output: Sink;
}

const up: ReadonlySet<string> = new Set(['booting', 'running', 'stopping']);

export const showConsole = async (context: VmContext, request: ConsoleRequest): Promise<void> => {
  const {id} = recordOf(context, request.vm);
  const logs = [{path: join(vmFolder(context, id), 'console.log'), sink: request.output}];
  await show(context, logs, request, async () => up.has(recordOf(context, id).status));
  await request.output.close();
};

const show = async (
  {signal}: VmContext,
  logs: readonly {readonly path: string; readonly sink: Sink}[],
  {tail, follow}: ShowOptions,
  isGoing: () => Promise<boolean>,
): Promise<void> => {
  const readers: LogReader[] = [];
  try {
    for (const {path, sink} of logs) readers.push(await openLog(path, sink, tail));
    for (;;) {
      // Asked before the last look, so that what was written until the end is seen.
      const isLast = !follow || signal.aborted || !(await isGoing());
      for (const reader of readers) await reader.drain();
      if (isLast) return;
      await sleep(POLL_MS, undefined, {signal}).catch(() => {}); // interrupted: one last look
    }
  } finally {
    for (const reader of readers) await reader.close();
  }
};
