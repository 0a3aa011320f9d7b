// @ts-check
/**
 * `npm run test:nested`: the guest agent in real guests of libkrun. QEMU emulates a machine with nested
 * virtualisation, a Debian kernel with KVM runs in it, and libkrun there. Takes minutes; arguments go to vitest.
 */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {runChild} from '../prepare/child.mjs';
import {runMain, StepError} from '../prepare/step.mjs';
import {fetchParts} from './fetch.mjs';
import {cacheFolder} from './parts.mjs';

const DEADLINE_MS = 30 * 60_000;
const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

await runMain(async () => {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new StepError(`The nested run needs Linux on x86-64, not ${process.platform} on ${process.arch}`);
  }
  const parts = await fetchParts(cacheFolder(process.env));
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const config = join(root, 'test', 'nested', 'vitest.config.ts');
  const args = [vitest, 'run', '--config', config, ...process.argv.slice(2)];
  const folder = mkdtempSync(join(tmpdir(), 'agent-nested-'));
  try {
    const {code, interrupted, how} = await runChild(process.execPath, args, {
      cwd: root,
      stdio: 'inherit',
      env: {...process.env, AGENT_NESTED_PARTS: parts, AGENT_NESTED_FOLDER: folder},
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    if (code === null && interrupted === undefined) throw new StepError(`The nested run: ${how}`);
    return interrupted ?? code ?? 1;
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
});
