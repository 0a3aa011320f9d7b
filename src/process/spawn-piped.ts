/** Starts a VMM whose channel is its standard input and output. */
import {PassThrough, pipeline, type Readable, type Writable} from 'node:stream';
import {execa} from 'execa';
import {AgentError} from '../model/errors.js';
import {coveringInherited, inherited} from './inherited.js';
import type {SpawnedVmm} from './spawn-vmm.js';

export interface SpawnPipedOptions {
  readonly file: string;
  readonly args: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface PipedVmm extends Pick<SpawnedVmm, 'pid' | 'ended'> {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** SIGKILL to its whole process group; after its end, nothing. */
  readonly kill: () => void;
}

/** Throws PROCESS_FAILED where the program cannot be started. */
export const spawnPiped = async ({file, args, env}: SpawnPipedOptions): Promise<PipedVmm> => {
  const child = coveringInherited(3, (covers) =>
    execa(file, [...args], {
      env,
      extendEnv: false,
      cwd: '/',
      detached: true, // Ctrl-C in a terminal is for us, not for the VMM
      reject: false,
      buffer: false,
      stdio: ['pipe', 'pipe', 'pipe', ...covers.map(inherited)],
    }),
  );
  const ended = new Promise<{code: number | null; signal: string | null}>((resolve) => {
    child.once('exit', (code, signal) => resolve({code, signal}));
  });
  const {pid, stdin, stdout, stderr} = child;
  if (pid === undefined || stdin === null || stdout === null || stderr === null) {
    throw new AgentError('PROCESS_FAILED', `Cannot start '${file}'.`, {cause: await child});
  }
  let isRunning = true;
  child.once('exit', () => {
    isRunning = false;
  });
  const kill = (): void => {
    if (isRunning) killGroup(pid);
  };
  return {pid, stdin, stdout, stderr: keepUnread(stderr), ended, kill};
};

/** At the end of a child, Node throws away what nobody has begun to read. */
const keepUnread = (stream: Readable): Readable => pipeline(stream, new PassThrough(), () => {});

const killGroup = (pid: number): void => {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has just ended
  }
};
