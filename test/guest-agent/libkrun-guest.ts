import {spawn} from 'node:child_process';
import {copyFileSync, mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Peer} from './peer.ts';
import {agentProgram} from './stdio-agent.ts';

export type LibkrunGuest = {
  readonly peer: Peer;
  /** The guest's root as the host sees it: without what is mounted in the guest. */
  readonly root: string;
  readonly ended: Promise<number | string>;
  readonly log: () => string;
};

export type LibkrunOptions = {
  /** What the image holds: called with the guest's root before the start. */
  readonly fill?: (root: string) => void;
  /** Shell text run in the guest's namespaces, in its root as seen from outside, before the start. */
  readonly before?: string;
  /** How the agent is started there. */
  readonly start?: string;
  readonly env?: Readonly<Record<string, string>>;
};

/**
 * What libkrun's init leaves to the agent, as far as namespaces can give it: a root of its own, a network with `lo` down,
 * and no right to the host's clock. The host's programs are there to be run, /dev has what programs cannot do without.
 */
const prepare = `set -e
mount --make-rprivate /
ip=$(readlink -f "$1")
cd "$ip"
for name in bin lib lib32 lib64 usr sbin; do
  test -e /$name || continue
  mkdir -p $name
  mount --rbind /$name $name
done
for name in null zero urandom; do
  : >dev/$name
  mount --bind /dev/$name dev/$name
done
`;

const namespaces = [
  ...(process.getuid?.() === 0 ? [] : ['--map-root-user']),
  ...['--mount', '--net', '--pid', '--fork', '--kill-child'],
];

/** Before the test itself is given up, which would leave the guest and its folder behind. */
const DEADLINE_MS = 25_000;

export const START = 'setpriv --bounding-set=-sys_time chroot . /.agent';

const spawnGuest = (root: string, {before = '', start = START, env = {}}: LibkrunOptions) => {
  // The shell stays: the agent is not process 1, as under libkrun.
  const script = `${prepare}${before}\n${start}\nexit $?`;
  const child = spawn('unshare', [...namespaces, '/bin/sh', '-c', script, 'sh', root], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {PATH: process.env.PATH, ...env},
  });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const ended = new Promise<number | string>((resolve) => {
    child.on('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  return {child, guest: {peer: new Peer(child.stdout, child.stdin), root, ended, log: () => log}};
};

/** Runs a test with the agent as libkrun starts it; the channel is closed then, and the agent must end by that. */
export const withLibkrunGuest = async (
  options: LibkrunOptions,
  test: (guest: LibkrunGuest) => Promise<void>,
): Promise<void> => {
  const root = mkdtempSync(join(tmpdir(), 'agent-libkrun-'));
  try {
    mkdirSync(join(root, 'dev'));
    copyFileSync(agentProgram(), join(root, '.agent'));
    options.fill?.(root);
    await runGuest(spawnGuest(root, options), test);
  } finally {
    rmSync(root, {recursive: true, force: true});
  }
};

const runGuest = async (
  {child, guest}: ReturnType<typeof spawnGuest>,
  test: (guest: LibkrunGuest) => Promise<void>,
): Promise<void> => {
  const late = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
  try {
    await Promise.race([
      guest.peer.hello,
      guest.ended.then((end) => Promise.reject(new Error(`ended with ${end}: ${guest.log()}`))),
    ]);
    await test(guest);
    guest.peer.close();
    const end = await guest.ended;
    if (end !== 0) throw new Error(`the agent ended with ${end}: ${guest.log()}`);
    if (guest.peer.violation) throw guest.peer.violation;
  } finally {
    clearTimeout(late);
    child.kill('SIGKILL');
    await guest.ended;
  }
};
