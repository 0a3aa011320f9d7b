// @ts-check
/** Before `npm pack`: the guest agent for every architecture that has a compiler here, then the build. */
import {execFileSync} from 'node:child_process';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {setupScript} from './prepare/host.mjs';
import {guestMachine} from './prepare/prepare.mjs';
import {runMain, runStep} from './prepare/step.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const MACHINES = ['x86_64', 'aarch64'];

/**
 * Whether guest/build.sh finds a compiler.
 * @param {string} machine
 */
const hasCompiler = (machine) =>
  (process.platform === 'linux' && machine === guestMachine()) ||
  runs(`${machine}-linux-gnu-gcc`, '--version') ||
  runs(`${machine}-linux-musl-gcc`, '--version') ||
  runs('zig', 'version');

/** @param {string} program @param {string} argument */
const runs = (program, argument) => {
  try {
    execFileSync(program, [argument], {stdio: 'ignore'});
    return true;
  } catch {
    // Not installed: the package is made without that architecture, which is said below.
    return false;
  }
};

/** @param {string} machine */
const buildGuestAgent = async (machine) => {
  if (!hasCompiler(machine)) {
    console.error(
      `warning: no guest agent for ${machine} in this package: install ${machine}-linux-gnu-gcc or zig`,
    );
    return;
  }
  await runStep({
    title: `Guest agent for ${machine}`,
    file: join(root, 'guest', 'build.sh'),
    args: [machine, join(root, 'dist', 'guest')],
    cwd: root,
    mend: `${setupScript()} --build installs the compiler`,
  });
};

await runMain(async () => {
  for (const machine of MACHINES) await buildGuestAgent(machine);
  await runStep({title: 'Build', file: 'npm', args: ['run', 'build'], cwd: root, mend: 'npm run build'});
  return 0;
});
