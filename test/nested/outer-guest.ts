import {once} from 'node:events';
import {mkdirSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {inject} from 'vitest';
import {connectGuest} from '../../src/guest/connect.js';
import type {Guest} from '../../src/guest/guest.js';
import {findProgram} from '../../src/launcher/common/host.js';
import {prepareBootFiles} from '../../src/launcher/qemu/boot-files.js';
import type {Candidate} from '../../src/launcher/qemu/machine/candidates.js';
import {planMachine} from '../../src/launcher/qemu/machine/plan-machine.js';
import {startMachine} from '../../src/launcher/qemu/machine/start-machine.js';
import {agentProgram} from '../guest-agent/stdio-agent.ts';
import {record} from './figures.ts';
import {KVM_MODULES} from './outer-root.ts';

export interface Finished {
  readonly code: number | null;
  readonly signal: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface OuterGuest {
  readonly guest: Guest;
  /** A shell script there. It is killed at the deadline, and then has a signal instead of a code. */
  readonly run: (script: string, timeoutMs?: number) => Promise<Finished>;
  readonly end: () => Promise<void>;
}

const BOOT_MS = 60_000;
const COMMAND_MS = 60_000;

/** Nested virtualisation is emulated for AMD's only, and needs a CPU that has it. */
const EMULATED_AMD: Candidate = {
  name: 'nested',
  accelerator: 'tcg',
  transport: 'pci',
  machine: 'q35,hpet=on',
  acceleratorOptions: 'tcg,thread=multi,tb-size=512',
  cpu: 'EPYC',
  kernelParameters: [],
};

/** A machine with KVM in it: QEMU, our own agent as its init, and in it what `outer-root.ts` has built. */
export const bootOuter = async (): Promise<OuterGuest> => {
  const startedAt = performance.now();
  const {folder} = inject('nested');
  const {signal} = new AbortController();
  const machine = await startMachine({
    qemuPath: findProgram(process.env, 'qemu-system-x86_64') ?? 'qemu-system-x86_64',
    plan: await planOuter(signal),
    // It must not outlive the process that runs the tests.
    confinement: ['setpriv', '--pdeathsig', 'KILL'],
    accelerator: 'tcg',
    logPath: null,
    signal,
  });
  try {
    const {channel, lastLines} = machine;
    const guest = await connectGuest({channel, timeoutMs: BOOT_MS, signal, lastLines});
    await guest.sync(COMMAND_MS);
    const outer: OuterGuest = {
      guest,
      run: (script, timeoutMs = COMMAND_MS) => runIn(guest, script, timeoutMs),
      end: () => machine.kill(),
    };
    const modules = KVM_MODULES.map((name) => `insmod /modules/${name}.ko`).join(' && ');
    const loaded = await outer.run(`ip link set lo up; ${modules} && test -c /dev/kvm`);
    if (loaded.code !== 0) throw new Error(`no KVM in the outer guest: ${loaded.stderr}`);
    record(folder, {what: 'boots of the machine with KVM', ms: performance.now() - startedAt});
    return outer;
  } catch (error) {
    await machine.kill();
    throw error;
  }
};

const planOuter = async (signal: AbortSignal) => {
  const {parts, folder, rootImage} = inject('nested');
  const cacheFolder = join(folder, 'boot-files');
  mkdirSync(cacheFolder, {recursive: true});
  const debian = join(parts, 'debian');
  const [release = ''] = readdirSync(join(debian, 'lib/modules'));
  const bootFiles = await prepareBootFiles({
    cacheFolder,
    kernel: {
      path: join(debian, 'boot', `vmlinuz-${release}`),
      release,
      modulesFolder: join(debian, 'lib/modules', release),
      readable: true,
    },
    architecture: 'x86_64',
    needs: {transport: 'pci', disks: true, network: false},
    guestAgentPath: agentProgram(),
    signal,
  });
  return planMachine({
    template: null,
    ...bootFiles,
    marker: `agent-nested-${process.pid}`,
    hostName: 'outer',
    architecture: 'x86_64',
    candidate: EMULATED_AMD,
    cpus: 1,
    memoryMib: 1024,
    network: 'none',
    disks: {rootPath: rootImage, upperPath: null, persistPath: null},
    openKernelByFd: true,
  });
};

/** Runs a shell script to its end in any guest, without input. */
export const runIn = async (guest: Guest, script: string, timeoutMs: number): Promise<Finished> => {
  const session = guest.exec({
    argv: ['/bin/sh', '-c', script],
    env: ['PATH=/usr/bin:/bin'],
    cwd: '/',
    user: '',
  });
  session.stdin.end();
  const timer = setTimeout(() => session.kill(9, 'everything'), timeoutMs);
  const [stdout, stderr, {code, signal}] = await Promise.all([
    readAll(session.stdout),
    readAll(session.stderr),
    session.exit,
  ]);
  clearTimeout(timer);
  return {code, signal, stdout: stdout.toString(), stderr: stderr.toString()};
};

export const readAll = async (stream: NodeJS.ReadableStream): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  return Buffer.concat(chunks);
};
