/** A run's own folder: what its command says, and the receipt of what has become of it. */
import {randomBytes} from 'node:crypto';
import {mkdir, rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {RunReport} from '../model/run-report.js';
import type {Sink} from '../model/sink.js';
import type {ProcessRef, VmRecord} from '../model/vm-record.js';
import {fileSink} from './file-sink.js';
import {pruneAfter} from './log-pruning.js';
import type {RunRequest} from './run-request.js';

export interface RunPaths {
  readonly stdoutPath: string;
  readonly stderrPath: string;
}

export interface RunFiles extends RunPaths {
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** The command has ended, however it did. */
  readonly close: () => Promise<void>;
  /** What became of it. A VM that was cleaned meanwhile needs none of this. */
  readonly finish: (report: RunReport) => Promise<void>;
}

/** A command that begins now. */
export interface RunStart {
  readonly record: VmRecord;
  readonly runId: string;
  readonly request: RunRequest;
  /** Who will close the files. */
  readonly process: ProcessRef;
  readonly now: () => Date;
  readonly isAlive: (ref: ProcessRef) => boolean;
}

export const runsFolder = (vmFolder: string): string => join(vmFolder, 'runs');

/** Throws where the VM's folder is gone: somebody has just cleaned it. */
export const openRunFiles = async (vmFolder: string, start: RunStart): Promise<RunFiles> => {
  const folder = join(runsFolder(vmFolder), start.runId);
  await mkdir(folder, {mode: 0o700});
  const receipt = {...describeStart(start), startedAt: start.now().toISOString()};
  await writeReceipt(folder, {...receipt, status: 'running', process: start.process});
  const [stdoutPath, stderrPath] = [join(folder, 'stdout.log'), join(folder, 'stderr.log')];
  const [stdout, stderr] = [await fileSink(stdoutPath), await fileSink(stderrPath)];
  let endedAt = '';
  return {
    stdoutPath,
    stderrPath,
    stdout,
    stderr,
    close: async () => {
      await Promise.all([stdout.close(), stderr.close()]);
      endedAt = start.now().toISOString();
      await writeReceipt(folder, {...receipt, status: 'ended', endedAt}).catch(unlessCleaned);
      await pruneAfter(runsFolder(vmFolder), start.runId, start.isAlive).catch(unlessCleaned);
    },
    finish: async ({record: _record, ...report}) => {
      await writeReceipt(folder, {...receipt, status: 'ended', endedAt, ...report}).catch(unlessCleaned);
    },
  };
};

const unlessCleaned = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'ENOENT') throw error;
};

/** Whole or not at all: somebody may be reading it. */
const writeReceipt = async (folder: string, receipt: Record<string, unknown>): Promise<void> => {
  const temporary = join(folder, `.making-${randomBytes(4).toString('hex')}`);
  await writeFile(temporary, `${JSON.stringify(receipt, null, 2)}\n`, {mode: 0o600});
  await rename(temporary, join(folder, 'run.json'));
};

const MAX_RECEIPT_TEXT = 4_096;

const describeStart = ({record, runId, request}: RunStart): Record<string, unknown> => {
  const {program} = request.payload;
  return {
    vm: record.id,
    runId,
    image: record.image,
    program:
      program.kind === 'command'
        ? {kind: 'command', text: program.text.slice(0, MAX_RECEIPT_TEXT)}
        : {kind: program.kind},
    env: request.env.map((entry) => entry.slice(0, entry.indexOf('='))),
    limits: {
      timeoutMs: request.timeoutMs,
      maxOutputBytes: request.maxOutputBytes,
      memoryMib: record.memoryMib,
    },
  };
};
