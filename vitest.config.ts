import {defineConfig} from 'vitest/config';

// A template would be made in the background of whatever boots: tests that want one say so.
const env = {AGENT_TEMPLATES: 'off'};
const shared = {disableConsoleIntercept: true, testTimeout: 30_000, hookTimeout: 60_000, env};

/** unit: no VM, no network. vm: boots real guests, two files at a time, since a guest computes on one core. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/vm/**', 'test/contract/**'],
        },
      },
      {
        test: {
          ...shared,
          name: 'vm',
          include: ['test/{vm,contract}/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          maxWorkers: 2,
          sequence: {groupOrder: 1},
        },
      },
    ],
  },
});
