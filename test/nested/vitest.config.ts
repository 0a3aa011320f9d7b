import {fileURLToPath} from 'node:url';
import {defineConfig} from 'vitest/config';

/** Guests within guests, one at a time: run by `npm run test:nested`, not by `npm test`. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/nested/**/*.nested.ts'],
    globalSetup: ['test/nested/global-setup.ts'],
    disableConsoleIntercept: true,
    fileParallelism: false,
    env: {AGENT_TEMPLATES: 'off'},
    pool: 'forks',
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
