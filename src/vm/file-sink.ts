import {open} from 'node:fs/promises';
import type {Sink} from '../model/sink.js';

/** A new file, 0600; fails where it exists. */
export const fileSink = async (path: string): Promise<Sink> => {
  const file = await open(path, 'wx', 0o600);
  return {
    write: async (chunk) => {
      await file.writeFile(chunk);
    },
    close: () => file.close(),
  };
};
