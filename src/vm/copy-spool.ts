import {randomBytes} from 'node:crypto';
import {type FileHandle, open, unlink} from 'node:fs/promises';
import {join} from 'node:path';
import type {Readable} from 'node:stream';
import {AgentError, usageError} from '../model/errors.js';

export interface Spool {
  readonly file: FileHandle;
  readonly size: number;
}

/**
 * All of a stream, in a file without a name: an archive tells the size of a file before its content. However this
 * process ends, nothing of it stays.
 */
export const spool = async (
  input: Readable,
  {
    folder,
    maxBytes,
    signal,
  }: {readonly folder: string; readonly maxBytes: number; readonly signal: AbortSignal},
): Promise<Spool> => {
  const path = join(folder, `.copy-${randomBytes(8).toString('hex')}`);
  const file = await open(path, 'wx+', 0o600);
  const stop = (): void => {
    input.destroy(new AgentError('INTERRUPTED', 'reading standard input was interrupted'));
  };
  signal.addEventListener('abort', stop);
  try {
    await unlink(path);
    if (signal.aborted) stop();
    let size = 0;
    for await (const chunk of input as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      await file.writeFile(chunk);
    }
    return {file, size};
  } catch (error) {
    await file.close();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
};

const tooLarge = (maxBytes: number): AgentError =>
  usageError(
    `Standard input is more than ${(maxBytes / 1024 ** 2).toFixed(1)} MiB, which is the most that is copied.`,
    'allow more: --max-size 8G',
  );
