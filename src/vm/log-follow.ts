/** A file of ours from some place in it to its end, and on while it grows. */
import {type FileHandle, open} from 'node:fs/promises';
import type {Sink} from '../model/sink.js';

export interface LogReader {
  /** Gives what there is now to the sink. */
  readonly drain: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** From the last `tail` lines on; null: from its beginning. A file that is not there is an empty one. */
export const openLog = async (path: string, sink: Sink, tail: number | null): Promise<LogReader> => {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (!file) return {drain: async () => {}, close: async () => {}};
  let position = tail === null ? 0 : await lastLines(file, tail);
  const chunk = Buffer.alloc(CHUNK_BYTES);
  return {
    drain: async () => {
      // A log that is bounded has dropped its older half.
      const {size} = await file.stat();
      if (size < position) position = Math.min(size, Math.floor(position / 2));
      for (;;) {
        const {bytesRead} = await file.read(chunk, 0, chunk.length, position);
        if (bytesRead === 0) return;
        position += bytesRead;
        await sink.write(Buffer.from(chunk.subarray(0, bytesRead)));
      }
    },
    close: () => file.close(),
  };
};

/** Where the last lines begin; a line that is not complete counts. */
const lastLines = async (file: FileHandle, lines: number): Promise<number> => {
  const {size} = await file.stat();
  if (lines === 0) return size;
  let seen = 0;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const {buffer} = await file.read(Buffer.alloc(end - start), 0, end - start, start);
    for (let at = end - start - 1; at >= 0; at -= 1) {
      // The last byte ends the last line, and begins none.
      if (buffer[at] !== NEWLINE || start + at === size - 1) continue;
      seen += 1;
      if (seen === lines) return start + at + 1;
    }
    end = start;
  }
  return 0;
};
