import {type ChildProcess, execFileSync, spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Duplex} from 'node:stream';
import {fileURLToPath} from 'node:url';
import {connectGuest} from '../../src/guest/connect.js';
import type {Guest} from '../../src/guest/guest.js';

const build = fileURLToPath(new URL('../../guest/build.sh', import.meta.url));

/** Why the real agent cannot run here, or undefined: it is a Linux program, whatever runs it. */
export const noAgentReason: string | undefined =
  process.platform === 'linux' ? undefined : `the agent does not run on ${process.platform}`;

export interface RealAgent {
  readonly guest: Guest;
  readonly child: ChildProcess;
  readonly stop: () => Promise<void>;
}

/** Builds the agent from its source. */
export const buildAgent = (): {readonly path: string; readonly remove: () => void} => {
  const folder = mkdtempSync(join(tmpdir(), 'agent-'));
  const architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  execFileSync('sh', [build, architecture, folder], {stdio: ['ignore', 'ignore', 'inherit']});
  return {
    path: join(folder, `agent-${architecture}`),
    remove: () => rmSync(folder, {recursive: true, force: true}),
  };
};

/** Runs the agent as a process of the host that speaks the protocol on its standard input and output. */
export const startAgent = async (path: string): Promise<RealAgent> => {
  const child = spawn(path, ['--stdio'], {stdio: ['pipe', 'pipe', 'ignore']});
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const guest = await connectGuest({
    channel: Duplex.from({readable: child.stdout, writable: child.stdin}),
    timeoutMs: 10_000,
    signal: new AbortController().signal,
    lastLines: () => [],
  });
  return {
    guest,
    child,
    stop: async () => {
      guest.close();
      child.kill('SIGKILL');
      await ended;
    },
  };
};
