/** Runs the double where no guest is needed: no storage, no namespaces. */
import {spawnSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {type KrunvmFaults, withKrunvm} from '../support/krunvm.js';

const program = fileURLToPath(new URL('../fixtures/krunvm-double/main.mjs', import.meta.url));
/** Nobody's. */
const SOME_UID = 65_533;

export interface RunKrunvmOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly faults?: KrunvmFaults;
  readonly input?: string;
  /** As an ordinary user, if we are root. */
  readonly asUser?: boolean;
}

export const runKrunvm = (
  args: readonly string[],
  {env, faults, input, asUser = false}: RunKrunvmOptions,
): {status: number | null; stdout: string; stderr: string} => {
  const user = asUser && process.getuid?.() === 0 ? {uid: SOME_UID, gid: SOME_UID} : {};
  const {status, stdout, stderr} = spawnSync(process.execPath, [program, ...args], {
    env: {...withKrunvm(env, faults), PATH: env.PATH},
    input: input ?? '',
    encoding: 'utf8',
    timeout: 20_000,
    ...user,
  });
  return {status, stdout, stderr};
};
