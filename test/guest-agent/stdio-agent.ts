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
  const given = process.env.AGENT_GUEST_PROGRAM;
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

const within = <T>(promise: Promise<T>, ms: number, what: string): Promise<T> =>
  Promise.race([
    promise,
    new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error(`${what} took more than ${ms} ms`)), ms).unref();
    }),
  ]);

/** Runs a test with an agent of its own, then closes its channel: it must end, and have kept the rules. */
export const withAgent = async (test: (agent: StdioAgent) => Promise<void>): Promise<void> => {
  const agent = startAgent();
  try {
    await within(agent.peer.hello, 25_000, 'HELLO');
    await test(agent);
    agent.peer.close();
    const end = await within(agent.ended, 25_000, 'the end of the agent');
    if (end !== 0) throw new Error(`the agent ended with ${end}: ${agent.log()}`);
    if (agent.peer.violation) throw agent.peer.violation;
  } finally {
    agent.process.kill('SIGKILL');
  }
};

/** Sends bytes that the agent must refuse; returns the text of its ERROR. */
export const refusal = async (send: (agent: StdioAgent) => Promise<unknown>): Promise<string | undefined> => {
  const agent = startAgent();
  try {
    await within(agent.peer.hello, 25_000, 'HELLO');
    await send(agent);
    const end = await within(agent.ended, 25_000, 'the end of the agent');
    if (end !== 1) throw new Error(`the agent ended with ${end}: ${agent.log()}`);
    return agent.peer.error;
  } finally {
    agent.process.kill('SIGKILL');
  }
};
