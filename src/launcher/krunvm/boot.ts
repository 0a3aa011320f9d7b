/** Starts a VM and waits for the guest agent's first words. */
import {PassThrough} from 'node:stream';
import {setTimeout as sleep} from 'node:timers/promises';
import {AgentError, deadlineError} from '../../model/errors.js';
import {identifyProcess} from '../../process/identity.js';
import {type PipedVmm, spawnPiped} from '../../process/spawn-piped.js';
import {keepConsole} from '../common/console.js';
import {endVmms, findVmms} from '../common/end-vmms.js';
import type {LaunchOptions, Machine, MachineSpec, VmmExit} from '../launcher.js';
import {openChannel, type StdioChannel} from './channel.js';
import {containerOf, isVmmOf, startCommand} from './commands.js';
import {explainEnd} from './explain.js';
import type {KrunHost} from './krun-host.js';

const REAPING_DEADLINE_MS = 5_000;
const DRAINING_DEADLINE_MS = 1_000;

export interface BootRequest {
  readonly host: KrunHost;
  readonly spec: Pick<MachineSpec, 'id' | 'network'>;
  /** Path of its file. */
  readonly guestAgent: string;
  /** Where the console is kept; null: only in memory. */
  readonly logPath: string | null;
  readonly deadlineMs: number;
  readonly signal: LaunchOptions['signal'];
}

/** Throws what krunvm means where it ends instead, DEADLINE, INTERRUPTED, and VM_BUSY where the VM runs already. */
export const start = async (request: BootRequest): Promise<Machine> => {
  const {host, spec, guestAgent, signal} = request;
  signal.throwIfAborted();
  await refuseSecondStart(spec.id);
  const container = containerOf(spec.id);
  const [file = '', ...args] = startCommand(host.krunvm, {...spec, container, guestAgent});
  const vmm = await spawnPiped({file, args, env: host.registry(spec.id).env});
  const machine = watch(vmm, request);
  try {
    await untilSpeaking(machine, request);
    return machine;
  } catch (error) {
    await machine.kill();
    throw error;
  }
};

/** krunvm itself would start it again, and take the first one's folders away without a word. */
const refuseSecondStart = async (id: string): Promise<void> => {
  const [running] = await findVmms(isVmmOf(id));
  if (running === undefined) return;
  throw new AgentError('VM_BUSY', `VM '${id}' is running already, as process ${running.pid}.`, {
    hints: [`end it first: agent vm stop --vm ${id}`],
  });
};

const pause = (ms: number): Promise<void> => sleep(ms, undefined, {ref: false});

interface Watched extends Machine {
  readonly opened: StdioChannel['opened'];
}

const watch = (vmm: PipedVmm, {host, spec, logPath, signal}: BootRequest): Watched => {
  const words = new PassThrough();
  const {lastLines, finished} = keepConsole({console: vmm.stderr, output: words, logPath});
  const stdio = openChannel({
    ...vmm,
    untilExplained: () => Promise.race([exited, pause(DRAINING_DEADLINE_MS)]),
  });
  signal.addEventListener('abort', vmm.kill);
  if (signal.aborted) vmm.kill();
  const exited = vmm.ended.then(async (end): Promise<VmmExit> => {
    signal.removeEventListener('abort', vmm.kill);
    words.write(stdio.words());
    // Before that, its end is the error itself.
    words.end(stdio.isOpen() ? `krunvm ended with ${describe(end)}` : '');
    await Promise.race([finished, pause(DRAINING_DEADLINE_MS)]);
    vmm.stderr.destroy();
    return end;
  });
  const kill = async (): Promise<void> => {
    vmm.kill();
    stdio.channel.destroy();
    const late = sleep(REAPING_DEADLINE_MS, false, {ref: false});
    if (!(await Promise.race([exited.then(() => true), late]))) {
      throw deadlineError(`ending the VMM (process ${vmm.pid})`, REAPING_DEADLINE_MS);
    }
    // As an ordinary user krunvm is a child of buildah's.
    if (!host.krunvm.isRoot) await endVmms(isVmmOf(spec.id));
  };
  return {
    channel: stdio.channel,
    opened: stdio.opened,
    vmm: identifyProcess(vmm.pid) ?? {pid: vmm.pid, startedAt: ''},
    accelerator: host.krunvm.platform === 'darwin' ? 'hvf' : 'kvm',
    restored: null,
    lastLines,
    exited,
    kill,
  };
};

const untilSpeaking = async (
  {opened, exited, lastLines}: Watched,
  {deadlineMs, signal}: BootRequest,
): Promise<void> => {
  const done = new AbortController();
  const late = sleep(deadlineMs, 'late' as const, {signal: done.signal, ref: false});
  late.catch(() => {}); // it spoke, or ended, before
  try {
    const first = await Promise.race([opened, exited, late]);
    if (signal.aborted) throw new AgentError('INTERRUPTED', 'booting the VM was interrupted');
    if (first === 'late') throw deadlineError('booting the VM with krunvm', deadlineMs, lastLines());
    if (first !== undefined)
      throw explainEnd({doing: 'boot the VM', lines: lastLines(), how: describe(first)});
  } finally {
    done.abort();
  }
};

const describe = ({code, signal}: VmmExit): string => (signal === null ? `exit code ${code}` : signal);
