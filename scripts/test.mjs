// @ts-check
/** `npm test`: prepares this clone, then runs vitest; arguments go to vitest. */
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {runChild} from './prepare/child.mjs';
import {prepare} from './prepare/prepare.mjs';
import {runMain} from './prepare/step.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

await runMain(async () => {
  await prepare({root, languages: ['python', 'node', 'ruby', 'golang']});
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const {code, interrupted} = await runChild(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
  });
  return interrupted ?? code ?? 1;
});
