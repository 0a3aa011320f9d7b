import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach} from 'vitest';

/** Makes a folder for a test and removes it after it, whatever is in it. */
export const useTempFolder = (): (() => Promise<string>) => {
  const made: string[] = [];
  afterEach(async () => {
    for (const folder of made.splice(0)) await rm(folder, {recursive: true, force: true});
  });
  return async () => {
    const folder = await mkdtemp(join(tmpdir(), 'agent-guest-'));
    made.push(folder);
    return folder;
  };
};
