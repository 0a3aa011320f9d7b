/** Where a VM of the fault matrix can be when something happens to it. */
import type {ChildProcess} from 'node:child_process';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readdirSync, readFileSync, statSync} from 'node:fs';
import {constants} from 'node:os';
import {join} from 'node:path';
import type {VmRecord} from '../../src/model/vm-record.js';
import {executable, startAgent} from '../support/agent.js';
import {until} from '../support/until.js';
import {type Cell, inGuest, whenRecord} from './fault-cell.js';

/** The command line that is at work on the VM. */
export interface AtWork {
  readonly pid: number;
  readonly ended: Promise<WorkEnd>;
}

export interface WorkEnd {
  /** 128 + N for a signal. */
  readonly code: number;
  /** What it has said of itself; on standard output it may be the guest's words. */
  readonly stderr: string;
}

/** Brings the VM there; undefined where no command line is at work then. */
type Reach = (cell: Cell) => Promise<AtWork | undefined>;

const exec = (id: string, command: string): string[] => [
  'exec',
  '--vm',
  id,
  '--cmd',
  command,
  '--timeout',
  '200',
];

const reachBooting: Reach = async (cell) => {
  const {differences, id, fault} = cell;
  const work = begin(cell, exec(id, 'echo up; sleep 300'), differences.slowBoot);
  const isEnough = ({vmm}: VmRecord): boolean => fault !== 'kill -9 VMM' || vmm !== null;
  await whenRecord(cell, 'boots', (record) => record.status === 'booting' && isEnough(record));
  return work;
};

const reachIdle: Reach = async (cell) => {
  await inGuest(cell, 'true');
  return undefined;
};

const reachExec: Reach = async (cell) => {
  // It goes on writing, more than a page at a time, so that a full disk is noticed.
  const command = 'echo up; while :; do sleep 0.2; printf %05000d 0; done';
  const work = begin(cell, exec(cell.id, command));
  await until('the command runs', () => work.said().startsWith('up\n'), 40_000);
  return work;
};

const reachShell: Reach = async (cell) => {
  const {bench, id} = cell;
  // script(1) gives it a terminal, and ends as it does.
  const line = `exec "${process.execPath}" "${executable}" vm shell --vm ${id} 2>"${errorsOf(cell)}"`;
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', line, '/dev/null'], {
    env: {...process.env, ...bench.state.env, NO_COLOR: '1', AGENT_STATE_DIR: bench.state.path},
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 120_000,
    killSignal: 'SIGKILL',
  });
  const work = watch(child, () => readFileSync(errorsOf(cell), 'utf8'));
  child.stdin?.write('echo shell is $((20 + 2))\n');
  await until('the shell answers', () => work.said().includes('shell is 22'), 40_000);
  return {...work, pid: childOf(child.pid ?? 0)};
};

const errorsOf = ({bench, id}: Cell): string => join(bench.state.path, '..', `${id}.errors`);

/** Out of the guest: to a reader that does not read on, or into a file of the disk that is filled. */
const reachCopying: Reach = async (cell) => {
  const {bench, id, disk} = cell;
  await inGuest(cell, 'truncate -s 900M /srv/large');
  const args = ['cp', `${id}:/srv/large`, disk === null ? '-' : join(disk, 'copied')];
  const child = startAgent(['vm', ...args], {state: bench.state});
  const work = watch(child, undefined, disk !== null);
  if (disk === null && child.stdout) await once(child.stdout, 'readable');
  else await until('it has begun', () => sizeOf(disk ?? '') > 1024 ** 2, 40_000);
  return work;
};

const sizeOf = (folder: string): number =>
  readdirSync(folder, {recursive: true, encoding: 'utf8'})
    .map((name) => join(folder, name))
    .filter((path) => /agent-copy|copied/.test(path))
    .reduce((sum, path) => sum + (statSync(path, {throwIfNoEntry: false})?.size ?? 0), 0);

const reachStopping: Reach = async (cell) => {
  const {id, fault} = cell;
  const trap = fault === 'panic' ? 'echo c > /proc/sysrq-trigger' : '';
  await inGuest(cell, `(trap '${trap}' TERM; while :; do sleep 0.2; done) >/dev/null 2>&1 &`);
  const work = begin(cell, ['stop', '--vm', id]);
  if (fault !== 'panic') await whenRecord(cell, 'is being stopped', ({status}) => status === 'stopping');
  return work;
};

export const phases = {
  booting: reachBooting,
  idle: reachIdle,
  'exec running': reachExec,
  'shell open': reachShell,
  copying: reachCopying,
  stopping: reachStopping,
} satisfies Readonly<Record<string, Reach>>;

export type PhaseName = keyof typeof phases;

interface Watched extends AtWork {
  readonly said: () => string;
}

const begin = ({bench}: Cell, args: readonly string[], env: Readonly<Record<string, string>> = {}): Watched =>
  watch(startAgent(['vm', ...args], {state: bench.state, env}));

/** What it has left unread is read once it has said why it ends: it gives a slow reader all of it. */
const watch = (child: ChildProcess, errors?: () => string, isRead = true): Watched => {
  let [stdout, stderr] = ['', ''];
  const read = (): void => {
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout = `${stdout}${chunk}`.slice(0, 10_000);
    });
  };
  if (isRead && child.stdout) read();
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdin?.on('error', () => {}); // it has ended
  child.stderr?.once('data', read);
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: Number(code ?? 128 + (constants.signals[signal as NodeJS.Signals] ?? 0)),
    stderr: errors?.() ?? stderr,
  }));
  return {pid: child.pid ?? 0, ended, said: () => stdout};
};

const childOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
