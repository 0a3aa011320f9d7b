/** Drains a VMM's console and its own words without end, and keeps the last of both: in memory and in a bounded file. */
import type {Readable} from 'node:stream';
import {lastLinesOf} from '../../guest/console-lines.js';
import {createTail, type Tail} from '../../model/tail.js';
import {openBoundedLog} from './bounded-log.js';

export interface ConsoleKeeper {
  /** The last lines, printable and bounded; the VMM's own words come last. */
  readonly lastLines: () => string[];
  /** Resolves when both streams have ended; never rejects. */
  readonly finished: Promise<void>;
}

const KEPT_CONSOLE = 64 * 1024;
const KEPT_OUTPUT = 8 * 1024;

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
    lastLines: () => lastLinesOf(seen.bytes(), said.bytes()),
    finished,
  };
};

const drainConsole = async (console: Readable, tail: Tail, logPath: string | null): Promise<void> => {
  // Reading begins at once: what nobody has begun to read when the VMM ends, Node throws away.
  const opening = logPath === null ? Promise.resolve(null) : openBoundedLog(logPath);
  await drain(console, {
    push: async (chunk) => {
      tail.push(chunk);
      await (await opening)?.append(chunk);
    },
  });
  await (await opening)?.close();
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
