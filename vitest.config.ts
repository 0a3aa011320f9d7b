import {defineConfig} from 'vitest/config';

const shared = {disableConsoleIntercept: true, testTimeout: 30_000, hookTimeout: 60_000};

/** unit: no VM, no network. vm: boots real guests, one file at a time, since they share two cores. */
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
          fileParallelism: false,
        },
      },
    ],
  },
});
