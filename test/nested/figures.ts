/** What a run measured, kept in a file: each test file is a process of its own. */
import {appendFileSync, existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

export interface Figure {
  readonly what: string;
  readonly ms: number;
  /** Why it was tried again. */
  readonly fault?: string;
  /** What was odd and did no harm. */
  readonly remark?: string;
}

const fileIn = (folder: string): string => join(folder, 'figures');

export const record = (folder: string, figure: Figure): void =>
  appendFileSync(fileIn(folder), `${JSON.stringify(figure)}\n`);

export const printFigures = (folder: string): void => {
  if (!existsSync(fileIn(folder))) return;
  const figures: Figure[] = readFileSync(fileIn(folder), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  console.log('\nNested run:');
  for (const what of new Set(figures.map((figure) => figure.what))) {
    const times = figures.filter((figure) => figure.what === what && figure.fault === undefined);
    console.log(`  ${what}: ${describe(times.map(({ms}) => ms).toSorted((one, other) => one - other))}`);
  }
  const faults = figures.filter(({fault}) => fault !== undefined);
  console.log(`  starts that had to be tried again: ${faults.length}`);
  for (const {ms, fault} of faults) console.log(`    after ${seconds(ms)}: ${fault}`);
  for (const {remark} of figures) if (remark !== undefined) console.log(`  ${remark}`);
};

const describe = (times: readonly number[]): string => {
  const at = (share: number): string => seconds(times[Math.floor((times.length - 1) * share)] ?? 0);
  return `${times.length} times, median ${at(0.5)}, ${at(0)} to ${at(1)}`;
};

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
