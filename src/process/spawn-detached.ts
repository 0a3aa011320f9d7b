/** Starts a process that outlives us. */
import {spawn} from 'node:child_process';
import {closeSync, openSync} from 'node:fs';
import type {Readable} from 'node:stream';
import {AgentError} from '../model/errors.js';
import {startError, untilEnd} from './child-end.js';
import {coveringInherited} from './inherited.js';

export interface SpawnDetachedOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Receives its standard error; emptied before. */
  readonly logPath: string;
}

export interface DetachedProcess {
  readonly pid: number;
  readonly stdout: Readable;
  /** Resolves when it has ended; never rejects. */
  readonly ended: Promise<{readonly code: number | null; readonly signal: string | null}>;
  /** From here on it does not keep us from ending. */
  readonly release: () => void;
}

/** A session of its own, so that the end of our terminal is none of its business. Throws PROCESS_FAILED. */
export const spawnDetached = async (options: SpawnDetachedOptions): Promise<DetachedProcess> => {
  const log = openSync(options.logPath, 'w', 0o600);
  try {
    return await start(options, log);
  } finally {
    closeSync(log);
  }
};

const start = async ({file, args, env}: SpawnDetachedOptions, log: number): Promise<DetachedProcess> => {
  const child = coveringInherited(3, (covers) =>
    spawn(file, [...args], {
      env: {...env},
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'pipe', log, ...covers],
    }),
  );
  const ended = untilEnd(child);
  const {pid, stdout} = child;
  if (pid === undefined || stdout === null) {
    throw new AgentError('PROCESS_FAILED', `Cannot start '${file}'.`, {cause: await startError(child)});
  }
  return {
    pid,
    stdout,
    ended,
    release: () => {
      stdout.destroy();
      child.unref();
    },
  };
};
