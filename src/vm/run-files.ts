/** A run's own folder: what its command said, and the receipt of what became of it. */
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {RunReport} from '../model/run-report.js';
import type {Sink} from '../model/sink.js';
import {fileSink} from './file-sink.js';
import type {RunRequest} from './run-request.js';

export interface RunPaths {
  readonly stdoutPath: string;
  readonly stderrPath: string;
}

export interface RunFiles extends RunPaths {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly close: () => Promise<void>;
}

const folderOf = (vmFolder: string, runId: string): string => join(vmFolder, 'runs', runId);

/** Throws where the VM's folder is gone: somebody has just cleaned it. */
export const openRunFiles = async (vmFolder: string, runId: string): Promise<RunFiles> => {
  const folder = folderOf(vmFolder, runId);
  await mkdir(folder, {mode: 0o700});
  const [stdoutPath, stderrPath] = [join(folder, 'stdout.log'), join(folder, 'stderr.log')];
  const [stdout, stderr] = [await fileSink(stdoutPath), await fileSink(stderrPath)];
  return {
    stdoutPath,
    stderrPath,
    stdout,
    stderr,
    close: async () => {
      await Promise.all([stdout.close(), stderr.close()]);
    },
  };
};

const MAX_RECEIPT_TEXT = 4_096;

/** A VM that was cleaned meanwhile needs none. */
export const writeReceipt = async (
  vmFolder: string,
  request: RunRequest,
  report: RunReport,
): Promise<void> => {
  const path = join(folderOf(vmFolder, report.runId), 'run.json');
  const text = `${JSON.stringify(receiptOf(request, report), null, 2)}\n`;
  await writeFile(path, text, {mode: 0o600}).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
};

const receiptOf = (request: RunRequest, report: RunReport): Record<string, unknown> => {
  const {record, out, ...rest} = report;
  const {program} = request.payload;
  return {
    vm: record.id,
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
    out,
    ...rest,
  };
};
