/** Starts a monitor and waits for its first words: what it is doing, and then that the VM is up or why not. */

import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {setTimeout as sleep} from 'node:timers/promises';
import {AgentError, deadlineError} from '../model/errors.js';
import {type DetachedProcess, spawnDetached} from '../process/spawn-detached.js';
import {readLastLines} from './last-lines.js';
import type {StartOptions} from './monitors.js';
import {decodeReport, type MonitorReport} from './report.js';

export interface MonitorProgram {
  /** What runs it: Node, and its arguments up to the VM's id. */
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Longer than any boot may take; each of its steps has a deadline of its own. */
const START_DEADLINE_MS = 180_000;

export const startMonitor = async (
  {command: [file, ...args], env}: MonitorProgram,
  {id, folder}: {readonly id: string; readonly folder: string},
  {progress, signal}: StartOptions,
): Promise<void> => {
  signal.throwIfAborted();
  const logPath = join(folder, 'monitor.log');
  const monitor = await spawnDetached({file, args: [...args, id], env, logPath});
  const cancel = (): void => end(monitor, 'SIGTERM');
  signal.addEventListener('abort', cancel);
  try {
    const verdict = await firstVerdict(monitor, (report) => {
      if (report.kind === 'step') progress.step(report.text);
      if (report.kind === 'detail') progress.detail(report.text);
    });
    if (verdict === 'late') {
      end(monitor, 'SIGKILL');
      throw deadlineError(`starting the monitor of VM '${id}'`, START_DEADLINE_MS, readLastLines(logPath));
    }
    if (verdict === undefined) throw await silentEnd(id, monitor, logPath);
    if (verdict.kind === 'failed') throw verdict.error;
  } finally {
    signal.removeEventListener('abort', cancel);
    monitor.release();
  }
};

type Verdict = Extract<MonitorReport, {kind: 'up' | 'failed'}>;

/** Undefined where it ended without one. */
const firstVerdict = async (
  {stdout}: DetachedProcess,
  onStep: (report: MonitorReport) => void,
): Promise<Verdict | 'late' | undefined> => {
  const done = new AbortController();
  const late = sleep(START_DEADLINE_MS, 'late' as const, {signal: done.signal});
  late.catch(() => {}); // the verdict came before
  const read = async (): Promise<Verdict | undefined> => {
    for await (const line of createInterface({input: stdout})) {
      const report = decodeReport(line);
      if (report?.kind === 'up' || report?.kind === 'failed') return report;
      if (report) onStep(report);
    }
    return undefined;
  };
  try {
    return await Promise.race([read(), late]);
  } finally {
    done.abort();
  }
};

const silentEnd = async (id: string, {ended}: DetachedProcess, logPath: string): Promise<AgentError> => {
  const {code, signal} = await ended;
  const lines = readLastLines(logPath);
  return new AgentError('BOOT_FAILED', `The monitor of VM '${id}' ended while the VM booted.`, {
    details: [signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`, ...lines],
    hints: ['try again: nothing of the VM is lost'],
  });
};

const end = ({pid}: DetachedProcess, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended, and said why
  }
};
