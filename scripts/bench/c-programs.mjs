// @ts-check
import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const COMPILE_MS = 60_000;

/**
 * The two small programs that the measuring needs, static and for this machine, which is also what its guests are like.
 * Elsewhere than on Linux there are none: processor time and bare QEMU are left out there.
 * @param {string} folder
 * @returns {{runMeasured: string, bareInit: string} | undefined}
 */
export const buildCPrograms = (folder) => {
  if (process.platform !== 'linux') return undefined;
  return {runMeasured: compile('run-measured', folder), bareInit: compile('bare-init', folder)};
};

/**
 * @param {string} name
 * @param {string} folder
 */
const compile = (name, folder) => {
  const source = fileURLToPath(new URL(`./${name}.c`, import.meta.url));
  const output = join(folder, name);
  const args = ['-std=c11', '-Os', '-static', '-s', '-Wall', '-Wextra', '-Werror', source, '-o', output];
  execFileSync(compiler(), args, {timeout: COMPILE_MS, stdio: ['ignore', 'ignore', 'inherit']});
  return output;
};

/** As guest/build.sh chooses it. */
const compiler = () => {
  if (process.env.CC) return process.env.CC;
  try {
    execFileSync('musl-gcc', ['--version'], {stdio: 'ignore', timeout: COMPILE_MS});
    return 'musl-gcc';
  } catch {
    return 'cc'; // musl is not installed
  }
};
