import {type ChildProcess, execFileSync, spawn} from 'node:child_process';
import {mkdirSync, readdirSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Peer} from './peer.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const source = join(root, 'guest');
const out = join(root, 'node_modules/.cache/guest-agent');

const newestSource = (): number =>
  Math.max(
    ...readdirSync(source, {recursive: true, encoding: 'utf8'}).map(
      (name) => statSync(join(source, name)).mtimeMs,
    ),
  );

/** The agent to test: AGENT_GUEST_PROGRAM (a build with sanitizers, say), or one built when stale. */
export const agentProgram = (): string => {
  const given = process.env['AGENT_GUEST_PROGRAM'];
  if (given) return given;
  const arch = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const program = join(out, `agent-${arch}`);
  const built = statSync(program, {throwIfNoEntry: false})?.mtimeMs ?? 0;
  if (built < newestSource()) {
    mkdirSync(out, {recursive: true});
    execFileSync(join(source, 'build.sh'), [arch, out], {stdio: ['ignore', 'ignore', 'inherit']});
  }
  return program;
};

export type StdioAgent = {
  readonly peer: Peer;
  readonly process: ChildProcess;
  /** How the agent ended: its exit code, or the name of the signal. */
  readonly ended: Promise<number | string>;
  readonly log: () => string;
};

export const startAgent = (): StdioAgent => {
  const child = spawn(agentProgram(), ['--stdio'], {stdio: ['pipe', 'pipe', 'pipe']});
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const ended = new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  return {peer: new Peer(child.stdout, child.stdin), process: child, ended, log: () => log};
};
