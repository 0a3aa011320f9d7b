/** Where the output of guests goes on our side: straight through, by line with the VM's name, or into JSON. */
import type {Readable} from 'node:stream';
import {memorySink, type Sink} from '../model/sink.js';
import {outputFields} from './captured-output.js';
import {createLogStream} from './log-stream.js';
import type {OutputStream} from './logger.js';
import {prefixedSink, streamSink} from './output-sink.js';

interface GuestIo {
  readonly stdin: Readable | null;
  readonly stdout: readonly Sink[];
  readonly stderr: readonly Sink[];
}

export interface GuestOutput {
  /** The streams for one VM. */
  readonly open: (id: string) => GuestIo;
  /** Ends them. With `isJson` it returns what was said, as fields for the VM's JSON object. */
  readonly close: (id: string) => Promise<Record<string, unknown> | undefined>;
  /** Where the log lines go. */
  readonly log: OutputStream;
}

interface GuestOutputOptions {
  readonly isJson: boolean;
  /** Several VMs at once: lines are prefixed and nobody gets our standard input. */
  readonly isShared: boolean;
  /** Standard input was read for something else. */
  readonly isStdinTaken?: boolean;
  /** VMs whose output comes at the same time. */
  readonly atOnce?: number;
}

const MIB = 1024 * 1024;
// Of one stream. A string of Node holds at most 512 MiB, and a caller that wants more than this wants files.
const MAX_CAPTURED = 64 * MIB;
// Of all that is in memory at the same time.
const MAX_CAPTURED_IN_ALL = 512 * MIB;

export const createGuestOutput = ({
  isJson,
  isShared,
  isStdinTaken = false,
  atOnce = 1,
}: GuestOutputOptions): GuestOutput => {
  const stdin = isShared || isStdinTaken || process.stdin.isTTY ? null : process.stdin;
  const share = Math.min(MAX_CAPTURED, Math.floor(MAX_CAPTURED_IN_ALL / (2 * atOnce)));
  return isJson ? capturedOutput(stdin, share) : streamedOutput(stdin, isShared);
};

const capturedOutput = (stdin: Readable | null, most: number): GuestOutput => {
  const captured = new Map<string, {readonly stdout: MemorySink; readonly stderr: MemorySink}>();
  return {
    log: process.stderr,
    open: (id) => {
      const sinks = {stdout: memorySink(most), stderr: memorySink(most)};
      captured.set(id, sinks);
      return {stdin, stdout: [sinks.stdout], stderr: [sinks.stderr]};
    },
    close: async (id) => {
      const sinks = captured.get(id);
      if (!sinks) return {};
      captured.delete(id);
      return {
        ...outputFields('stdout', sinks.stdout.content()),
        ...outputFields('stderr', sinks.stderr.content()),
        ...(sinks.stdout.isFull() || sinks.stderr.isFull() ? {truncated: true} : {}),
      };
    },
  };
};

type MemorySink = ReturnType<typeof memorySink>;

const streamedOutput = (stdin: Readable | null, isShared: boolean): GuestOutput => {
  const opened = new Map<string, readonly Sink[]>();
  const {log, watch} = createLogStream(process.stderr);
  const sinkFor = (id: string, stream: NodeJS.WriteStream): Sink => {
    // On a terminal both streams are on the same line; elsewhere standard output is somebody else's.
    const isSeen = stream === process.stderr || stream.isTTY;
    const sink = isSeen ? watch(streamSink(stream)) : streamSink(stream);
    return isShared ? prefixedSink(sink, `${id} | `) : sink;
  };
  return {
    log,
    open: (id) => {
      const [stdout, stderr] = [sinkFor(id, process.stdout), sinkFor(id, process.stderr)];
      opened.set(id, [stdout, stderr]);
      return {stdin, stdout: [stdout], stderr: [stderr]};
    },
    close: async (id) => {
      for (const sink of opened.get(id) ?? []) await sink.close();
      opened.delete(id);
      return undefined;
    },
  };
};
