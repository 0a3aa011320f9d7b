/** A log file that keeps the last of what a guest writes and never grows beyond its bound. */
import {type FileHandle, open} from 'node:fs/promises';

const MAX_BYTES = 1024 * 1024;

export interface BoundedLog {
  /** A log that cannot be written, for example on a full disk, ends; nobody who writes to it needs to know. */
  readonly append: (chunk: Buffer) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Appends to what is there; at `maxBytes` the older half goes. */
export const openBoundedLog = async (path: string, maxBytes = MAX_BYTES): Promise<BoundedLog> => {
  let file = await open(path, 'a+', 0o600).catch(() => null);
  let size = (await file?.stat())?.size ?? 0;
  const give = async (error: unknown): Promise<null> => {
    void error;
    await file?.close().catch(() => {});
    return null;
  };
  const write = async (log: FileHandle, chunk: Buffer): Promise<void> => {
    const kept = chunk.subarray(-Math.floor(maxBytes / 2));
    if (size + kept.length > maxBytes) size = await dropOlderHalf(log, size);
    await log.appendFile(kept);
    size += kept.length;
  };
  return {
    append: async (chunk) => {
      if (file === null) return;
      try {
        await write(file, chunk);
      } catch (error) {
        file = await give(error);
      }
    },
    close: async () => {
      await file?.close();
      file = null;
    },
  };
};

const dropOlderHalf = async (log: FileHandle, size: number): Promise<number> => {
  const kept = Math.floor(size / 2);
  const {buffer, bytesRead} = await log.read(Buffer.alloc(kept), 0, kept, size - kept);
  await log.truncate(0);
  await log.appendFile(buffer.subarray(0, bytesRead));
  return bytesRead;
};
