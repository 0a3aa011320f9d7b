import {rm} from 'node:fs/promises';
import {readRuns} from './log-runs.js';

/** Of one VM. The newest run stays, however large it is. */
export const KEPT_RUNS = {most: 100, bytes: 1024 ** 3} as const;

/** Removes the oldest runs, as far as there are more than are kept. What goes on stays. */
export const pruneRuns = async (
  runsFolder: string,
  kept: {most: number; bytes: number} = KEPT_RUNS,
): Promise<void> => {
  // Nobody need be asked whether a run's process lives: one without an end may be going on.
  const newestFirst = (await readRuns(runsFolder, () => true)).reverse();
  let bytes = 0;
  for (const [index, run] of newestFirst.entries()) {
    bytes += run.bytes.all;
    const isOver = index >= kept.most || (index > 0 && bytes > kept.bytes);
    if (isOver && run.status !== 'running') await rm(run.folder, {recursive: true, force: true});
  }
};
