// @ts-check
/** `npm test`: prepares this clone, then runs vitest; arguments go to vitest. */
import {spawn} from 'node:child_process';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {prepare} from './prepare/prepare.mjs';
import {endOf, runMain} from './prepare/step.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

await runMain(async () => {
  await prepare({root, languages: ['python', 'node', 'ruby', 'golang']});
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
  });
  const {code} = await endOf(child, 'vitest');
  return code ?? 1;
});
