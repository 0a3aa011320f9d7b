/** A state directory of one launcher, with small images, and the command line on it. */
import type {ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {symlinkSync, unlinkSync} from 'node:fs';
import {join} from 'node:path';
import {isDeepStrictEqual} from 'node:util';
import {afterAll, expect} from 'vitest';
import type {VmRecord, VmStatus} from '../../src/model/vm-record.js';
import {openStoreToRead} from '../../src/state/vm-store.js';
import {
  type AgentOptions,
  type AgentResult,
  agent,
  jsonLines,
  makeState,
  type StateFolder,
  startAgent,
} from '../support/agent.js';
import {until} from '../support/until.js';
import {leftoversOf, nothing, processesOf, useState} from '../support/vm-state.js';
import {environmentFor, type LauncherCase} from './launchers.js';
import type {SmallImages} from './small-images.js';

type Vm = Readonly<Record<string, unknown>>;
type More = Omit<Partial<AgentOptions>, 'state'>;

export interface RunningCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<Ending>;
  /** Its standard output so far. */
  readonly said: () => string;
}

interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Bench {
  readonly state: StateFolder;
  /** `agent vm ARGS`, to its end. */
  readonly vm: (args: readonly string[], more?: More) => Promise<AgentResult>;
  /** `agent vm ARGS`, which runs on; its standard input is empty, or the caller's to write. */
  readonly begin: (
    args: readonly string[],
    more?: More & {readonly stdin?: 'empty' | 'open'},
  ) => RunningCommand;
  /** The flags for a VM with one of the images; the first, unless another one is named. */
  readonly image: (name?: string) => readonly string[];
  /** Makes a VM; its id. */
  readonly create: (...flags: readonly string[]) => Promise<string>;
  readonly vms: () => Promise<Vm[]>;
  /** The record of the only VM, once it has the status. */
  readonly whenOnly: (status: VmStatus) => Promise<VmRecord>;
  /** Removes all VMs, of which nothing may be left. */
  readonly cleanAll: () => Promise<void>;
  readonly isIdle: () => boolean;
}

export const useBench = (
  launcher: LauncherCase,
  {folder, digests}: SmallImages,
  make: () => StateFolder = makeState,
): Bench => {
  const state = useState(() => {
    const made = make();
    unlinkSync(join(made.path, 'images'));
    symlinkSync(folder, join(made.path, 'images'));
    return {...made, env: environmentFor(launcher)};
  });
  const vm: Bench['vm'] = (args, more) => agent(['vm', ...args], {state, timeoutMs: 170_000, ...more});
  const image: Bench['image'] = (name = Object.keys(digests)[0] ?? '') => ['--image', digests[name] ?? ''];
  const vms = async (): Promise<Vm[]> => {
    const {code, stdout, stderr} = await vm(['list', '--all', '--json']);
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    return JSON.parse(stdout.toString()) as Vm[];
  };
  const cleanAll = async (): Promise<void> => {
    if (isDeepStrictEqual(await leftoversOf(state), nothing)) return;
    const {code, stderr} = await vm(['clean', '--all']);
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    expect(await leftoversOf(state)).toEqual(nothing);
  };
  afterAll(cleanAll);
  return {
    state,
    vm,
    image,
    cleanAll,
    vms,
    begin: (args, {stdin = 'empty', ...more} = {}) =>
      watch(startAgent(['vm', ...args], {state, ...more}), stdin),
    create: async (...flags) => {
      const {code, stdout, stderr} = await vm(['create', ...image(), ...flags]);
      expect({code, stderr}).toEqual({code: 0, stderr: ''});
      return String(jsonLines(stdout.toString())[0]?.id);
    },
    whenOnly: async (status) => await whenOnly(state, status),
    isIdle: () => processesOf(state).length === 0,
  };
};

// Read from the store itself: a command takes longer than some states last.
const whenOnly = async (state: StateFolder, status: VmStatus): Promise<VmRecord> => {
  const store = openStoreToRead(join(state.path, 'agent.mdb'), process.getuid?.() ?? 0);
  const only = (): VmRecord | undefined => store?.list().records[0];
  await until(`the VM is ${status}`, () => only()?.status === status);
  const record = only();
  if (!record) throw new Error('the VM has gone');
  return record;
};

const watch = (child: ChildProcess, stdin: 'empty' | 'open'): RunningCommand => {
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  if (stdin === 'empty') child.stdin?.end();
  const ended = once(child, 'close').then(([code, signal]) => ({code, signal, stdout, stderr}) as Ending);
  return {child, ended, said: () => stdout};
};

/** The log line with the verdict: of a run on standard output, of exec and temp on standard error. */
export const verdictOf = ({stdout, events}: Pick<AgentResult, 'stdout' | 'events'>): Vm =>
  events.find((event) => 'exit_code' in event) ?? jsonLines(stdout.toString())[0] ?? {};
