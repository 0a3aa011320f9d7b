/** Starts a VMM: two sockets and any number of open files become its file descriptors 3, 4, 5 and so on. */
import {spawn} from 'node:child_process';
import {closeSync, constants, openSync} from 'node:fs';
import type {Duplex, Readable} from 'node:stream';
import {AgentError} from '../model/errors.js';
import {startError, untilEnd} from './child-end.js';
import {coveringInherited} from './inherited.js';

export interface SpawnVmmOptions {
  readonly file: string;
  readonly args: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly files: readonly {readonly path: string; readonly writable: boolean}[];
  /** One more socket, behind the files. */
  readonly control?: boolean;
}

export interface SpawnedVmm {
  readonly pid: number;
  /** Our end of its file descriptor 3. */
  readonly channel: Duplex;
  /** Our end of its file descriptor 4. */
  readonly console: Duplex;
  /** Our end of the socket behind its files, where one was asked for. */
  readonly control: Duplex | null;
  /** Its standard output and error. */
  readonly output: Readable;
  /** Resolves when it has been reaped; never rejects. */
  readonly ended: Promise<{readonly code: number | null; readonly signal: string | null}>;
  /** SIGKILL; after its end, nothing. */
  readonly kill: () => void;
}

/** Throws PROCESS_FAILED where the program cannot be started, BOOT_FAILED where one of its files cannot be opened. */
export const spawnVmm = async (options: SpawnVmmOptions): Promise<SpawnedVmm> => {
  const opened: number[] = [];
  try {
    for (const file of options.files) opened.push(openFile(file));
    return await start(options, opened);
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
};

const openFile = ({path, writable}: SpawnVmmOptions['files'][number]): number => {
  try {
    return openSync(path, writable ? constants.O_RDWR : constants.O_RDONLY);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AgentError('BOOT_FAILED', `A file of the VM cannot be opened: ${reason}`, {cause: error});
  }
};

const OWN_STREAMS = ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] as const;

// Not execa: this is on the way of every command, and what it adds takes longer than the start itself.
const start = async (options: SpawnVmmOptions, opened: readonly number[]): Promise<SpawnedVmm> => {
  const asked = [...opened, ...(options.control ? (['pipe'] as const) : [])];
  const child = coveringInherited(OWN_STREAMS.length + asked.length, (covers) =>
    spawn(options.file, [...options.args], {
      env: {...options.env},
      cwd: '/',
      detached: true, // Ctrl-C in a terminal is for us, not for the VMM
      stdio: [...OWN_STREAMS, ...asked, ...covers],
    }),
  );
  const ended = untilEnd(child);
  // Node's types know five streams.
  const streams: readonly unknown[] = child.stdio;
  const [, , output, channel, console] = child.stdio;
  const control = options.control ? streams[OWN_STREAMS.length + opened.length] : null;
  if (child.pid === undefined || !output || !isDuplex(channel) || !isDuplex(console) || !isControl(control)) {
    throw new AgentError('PROCESS_FAILED', `Cannot start '${options.file}'.`, {
      cause: await startError(child),
    });
  }
  child.once('exit', () => [channel, console, output].forEach(keepUnread));
  return {
    pid: child.pid,
    channel,
    console,
    control,
    output,
    ended,
    kill: () => {
      child.kill('SIGKILL');
    },
  };
};

/**
 * At the end of a child, Node throws away what nobody has begun to read, one tick after `exit`: not where somebody
 * listens for it to be readable (flushStdio in https://github.com/nodejs/node/blob/v20.x/lib/internal/child_process.js).
 */
const keepUnread = (stream: Readable): void => {
  if (stream.readableFlowing !== null) return;
  const hold = (): void => {};
  stream.on('readable', hold);
  setImmediate(() => stream.off('readable', hold));
};

const isControl = (stream: unknown): stream is Duplex | null => stream === null || isDuplex(stream);

const isDuplex = (stream: unknown): stream is Duplex =>
  typeof stream === 'object' && stream !== null && 'readable' in stream && 'writable' in stream;
