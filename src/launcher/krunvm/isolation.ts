/** Whether `--network none` can be enforced here: tried on this machine, not supposed. */
import {createServer, type Server} from 'node:net';
import {AgentError, toAgentError} from '../../model/errors.js';
import type {NetworkMode} from '../../model/network.js';
import {run} from '../../process/run.js';
import type {Environment} from '../common/host.js';
import {type Krunvm, withoutNetwork} from './commands.js';
import type {KrunHost} from './krun-host.js';

const DEADLINE_MS = 20_000;

/** Throws ISOLATION_UNAVAILABLE. */
export const requireNoNetwork = async (
  krunvm: Krunvm,
  {env, signal}: {readonly env: Environment; readonly signal?: AbortSignal},
): Promise<void> => {
  const attempt = krunvm.platform === 'darwin' ? trySandbox : tryNamespace;
  const seen = await attempt(krunvm, {env, ...(signal ? {signal} : {})});
  if (seen !== null) throw unavailable(seen);
};

interface Surroundings {
  readonly env: Environment;
  readonly signal?: AbortSignal;
}

/** What is wrong, or null. An empty network namespace has one device, the loopback. */
const tryNamespace = async (krunvm: Krunvm, surroundings: Surroundings): Promise<string | null> => {
  const [file = '', ...args] = withoutNetwork(krunvm, ['cat', '/proc/self/net/dev']);
  try {
    const {stdout} = await run({file, args, ...surroundings, phase: PHASE, timeoutMs: DEADLINE_MS});
    const devices = parseDevices(stdout);
    return devices.join() === 'lo' ? null : `the new network namespace has devices: ${devices.join(', ')}`;
  } catch (error) {
    return reason(error);
  }
};

const PHASE = 'making an empty network namespace';

/** proc_pid_net(5): two lines of headings, then `name: numbers`. */
export const parseDevices = (text: string): string[] =>
  text
    .split('\n')
    .slice(2)
    .flatMap((line) => /^\s*(\S+):/.exec(line)?.[1] ?? []);

/** Connects from within the sandbox to a server of ours, which must fail, and from without it, which must not. */
const trySandbox = async (krunvm: Krunvm, surroundings: Surroundings): Promise<string | null> => {
  const server = createServer((socket) => socket.destroy());
  const port = await listen(server);
  try {
    const connect = [process.execPath, '-e', CONNECT, String(port)];
    if (!(await succeeds(connect, surroundings))) return 'the test of the sandbox does not work here';
    const inside = await succeeds(withoutNetwork(krunvm, connect), surroundings);
    if (inside) return 'the sandbox lets connections through';
    const starts = await succeeds(withoutNetwork(krunvm, ['true']), surroundings);
    return starts ? null : 'sandbox-exec cannot start a program here';
  } finally {
    server.close();
  }
};

const CONNECT = `const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1');
socket.once('connect', () => process.exit(0)).once('error', () => process.exit(1));`;

const listen = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });

const succeeds = async (
  [file = '', ...args]: readonly string[],
  surroundings: Surroundings,
): Promise<boolean> => {
  try {
    await run({file, args, ...surroundings, phase: 'trying the sandbox', timeoutMs: DEADLINE_MS});
    return true;
  } catch (error) {
    if (toAgentError(error).code === 'INTERRUPTED') throw error;
    return false;
  }
};

const reason = (thrown: unknown): string => {
  const error = toAgentError(thrown);
  if (error.code === 'INTERRUPTED') throw error;
  return error.details.at(-1) ?? error.message;
};

const unavailable = (seen: string): AgentError =>
  new AgentError('ISOLATION_UNAVAILABLE', "krunvm cannot keep a VM from this machine's network here.", {
    details: [seen],
    hints: [
      'use a launcher whose VMs have no network device: --launcher qemu',
      'or allow user namespaces, or run agent as root',
      'or give the VM the network: --network allow_all',
    ],
  });

/** The stricter network that can be had. */
export const isolationOf = async (
  {krunvm, env}: Pick<KrunHost, 'krunvm' | 'env'>,
  signal: AbortSignal,
): Promise<NetworkMode> => {
  try {
    await requireNoNetwork(krunvm, {env, signal});
    return 'none';
  } catch (error) {
    if (toAgentError(error).code === 'ISOLATION_UNAVAILABLE') return 'allow_all';
    throw error;
  }
};
