import {readdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {type IsAlive, readRun, readRuns} from './log-runs.js';

/** Of one VM. The newest run stays, however large it is. */
const KEPT_RUNS = {most: 100, bytes: 1024 ** 3} as const;

/** It takes a look at every run: often enough is when one more would not matter. */
const LATE = {runs: 10, bytes: 1024 ** 2} as const;

/** What is to be done when a run has ended: mostly nothing, since commands come often and are short. */
export const pruneAfter = async (runsFolder: string, run: string, isAlive: IsAlive): Promise<void> => {
  const {length} = await readdir(runsFolder);
  const {bytes} = await readRun(join(runsFolder, run), run, () => true);
  if (length > KEPT_RUNS.most + LATE.runs || bytes.all > LATE.bytes) await pruneRuns(runsFolder, isAlive);
};

/** Removes the oldest runs, as far as there are more than are kept. What goes on stays. */
export const pruneRuns = async (
  runsFolder: string,
  isAlive: IsAlive,
  kept: {most: number; bytes: number} = KEPT_RUNS,
): Promise<void> => {
  const newestFirst = (await readRuns(runsFolder, isAlive)).reverse();
  let bytes = 0;
  for (const [index, run] of newestFirst.entries()) {
    bytes += run.bytes.all;
    const isOver = index >= kept.most || (index > 0 && bytes > kept.bytes);
    if (isOver && run.status !== 'running') await rm(run.folder, {recursive: true, force: true});
  }
};
