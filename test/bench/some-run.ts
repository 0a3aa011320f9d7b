import {CATALOG} from '../../scripts/bench/catalog.mjs';
import {type Results, toResults} from '../../scripts/bench/results.mjs';

type Values = Readonly<Record<string, readonly number[]>>;

/** Of every measure the same; some otherwise, and none of those that have no value. */
export const someRun = (values: Values = {}, change: Partial<Results> = {}): Results => {
  const all = {...Object.fromEntries(Object.keys(CATALOG).map((id) => [id, [100]])), ...values};
  const samples = Object.entries(all)
    .filter(([, found]) => found.length > 0)
    .map(([id, found]) => [id, {attempts: found.length, failures: [], values: [...found]}]);
  return {
    ...toResults({
      version: '1.2.3',
      time: '2026-01-31T12:00:00.000Z',
      machine: {
        processor: 'Some Processor',
        cores: 2,
        memoryGib: 24,
        system: 'Some Linux',
        kernel: 'Linux 6.1',
        node: '20.0.0',
        qemu: '7.2.22',
        accelerator: 'tcg',
        guestKernel: '6.1.0-cloud',
      },
      load: {start: 0.1, end: 1.5},
      plan: {runs: 30, burst: 10, rounds: 30},
      density: {
        cold: {
          vms: 2,
          measured: [
            [1, 130],
            [2, 250],
          ],
          perVmMib: 120,
          baseMib: 10,
          roomMib: 4096,
          fit: 34,
        },
        warm: undefined,
      },
      leftOut: [{what: 'ruby without a VM', why: 'it is not installed on this machine'}],
      samples: Object.fromEntries(samples),
      phases: {'temp-true-cold': [{boot: 2000, exec: 100}], 'temp-true-warm': [{boot: 80}]},
    }),
    ...change,
  };
};

/** One of its measures had attempts that failed. */
export const withFailures = (run: Results, id: string, failures: readonly string[]): Results => ({
  ...run,
  measures: run.measures.map((measure) =>
    measure.id === id ? {...measure, attempts: measure.attempts + failures.length, failures} : measure,
  ),
});
