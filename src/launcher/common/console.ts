/** Drains a VMM's console and its own words without end, and keeps the last of both: in memory and in a bounded file. */
import type {Readable} from 'node:stream';
import {printable} from '../../guest/printable.js';
import {openBoundedLog} from './bounded-log.js';

export interface ConsoleKeeper {
  /** The last lines, printable and bounded; the VMM's own words come last. */
  readonly lastLines: () => string[];
  /** Resolves when both streams have ended; never rejects. */
  readonly finished: Promise<void>;
}

const KEPT_CONSOLE = 64 * 1024;
const KEPT_OUTPUT = 8 * 1024;
const MAX_LINES = 20;
const MAX_LINE_LENGTH = 200;

interface KeepOptions {
  readonly console: Readable;
  readonly output: Readable;
  /** Null: only in memory. */
  readonly logPath: string | null;
}

export const keepConsole = ({console, output, logPath}: KeepOptions): ConsoleKeeper => {
  const [seen, said] = [createTail(KEPT_CONSOLE), createTail(KEPT_OUTPUT)];
  const finished = Promise.all([drainConsole(console, seen, logPath), drain(output, said)]).then(() => {});
  return {
    lastLines: () => [...untilPanic(toLines(seen.bytes())), ...toLines(said.bytes())].slice(-MAX_LINES),
    finished,
  };
};

interface Tail {
  readonly push: (chunk: Buffer) => void;
  readonly bytes: () => Buffer;
}

/** The last `size` bytes of a stream, in at most twice the memory. */
export const createTail = (size: number): Tail => {
  const ring = Buffer.alloc(size);
  let written = 0;
  return {
    push: (chunk) => {
      const kept = chunk.subarray(-size);
      const at = (written + chunk.length - kept.length) % size;
      const head = kept.copy(ring, at);
      kept.copy(ring, 0, head);
      written += chunk.length;
    },
    bytes: () => {
      const at = written % size;
      return written < size
        ? Buffer.from(ring.subarray(0, written))
        : Buffer.concat([ring.subarray(at), ring.subarray(0, at)]);
    },
  };
};

/** What a kernel prints after its panic is registers and stack: the reason, and what led to it, come before. */
const untilPanic = (lines: readonly string[]): string[] => {
  const panic = lines.findLastIndex((line) => line.includes('Kernel panic - not syncing'));
  return panic < 0 ? [...lines] : lines.slice(0, panic + 1);
};

/** Guest bytes as lines that are safe to show: no terminal escapes, nothing unprintable. */
export const toLines = (bytes: Buffer): string[] =>
  bytes
    .toString('utf8')
    .replace(ESCAPES, '')
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== '')
    .map((line) => printable(line, MAX_LINE_LENGTH));

// CSI sequences, OSC strings, and two-character escapes (ECMA-48).
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -~])/g;

const drainConsole = async (console: Readable, tail: Tail, logPath: string | null): Promise<void> => {
  const log = logPath === null ? null : await openBoundedLog(logPath);
  await drain(console, {
    push: async (chunk) => {
      tail.push(chunk);
      await log?.append(chunk);
    },
  });
  await log?.close();
};

// A stream that breaks has ended; that its VMM is gone is told elsewhere.
const drain = async (
  stream: Readable,
  {push}: {readonly push: (chunk: Buffer) => void | Promise<void>},
): Promise<void> => {
  try {
    for await (const chunk of stream) await push(Buffer.from(chunk));
  } catch {
    stream.destroy();
  }
};
