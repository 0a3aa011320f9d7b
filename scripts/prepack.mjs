// @ts-check
/** Before `npm pack`: the guest agent for every architecture that has a compiler here, then the build. */
import {execFileSync} from 'node:child_process';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {guestMachine} from './prepare/prepare.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const MACHINES = ['x86_64', 'aarch64'];

/** @param {string} machine */
const hasCompiler = (machine) => {
  if (machine === guestMachine()) return true;
  try {
    execFileSync(`${machine}-linux-gnu-gcc`, ['--version'], {stdio: 'ignore'});
    return true;
  } catch {
    // Not installed: the package is made without that architecture, which is said below.
    return false;
  }
};

for (const machine of MACHINES) {
  if (hasCompiler(machine)) {
    execFileSync(join(root, 'guest', 'build.sh'), [machine, join(root, 'dist', 'guest')], {stdio: 'inherit'});
  } else {
    console.error(`warning: no guest agent for ${machine} in this package: install ${machine}-linux-gnu-gcc`);
  }
}
execFileSync('npm', ['run', 'build'], {cwd: root, stdio: 'inherit'});
