/**
 * `npm run soak -- --cycles 2000 --at-once 4 --launcher krunvm-double`: makes, uses, stops and cleans VMs over and over,
 * several at a time, and counts what lies around before and after. Exits with 1 where that differs, or a cycle fails.
 */
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {createContext} from '../../src/context.js';
import {silentProgress} from '../../src/model/progress.js';
import {memorySink} from '../../src/model/sink.js';
import {createMonitors} from '../../src/monitor/create-monitors.js';
import {createVm} from '../../src/vm/create-vm.js';
import {cleanVms, stopVms} from '../../src/vm/end-vms.js';
import {execVms} from '../../src/vm/exec-vms.js';
import type {VmContext} from '../../src/vm/vm-context.js';
import {type Census, takeCensus} from './census.js';
import {type Ground, type GroundName, isGroundName, makeGround} from './ground.js';

const USAGE = 'usage: npm run soak -- [--cycles N] [--at-once N] [--launcher krunvm-double|qemu]';
/** As many as it takes until whatever is made once has been made. */
const WARM_UP = 8;

interface Options {
  readonly cycles: number;
  readonly atOnce: number;
  readonly launcher: GroundName;
}

const readOptions = (): Options => {
  const {values} = parseArgs({
    options: {
      cycles: {type: 'string', default: '100'},
      'at-once': {type: 'string', default: '4'},
      launcher: {type: 'string', default: 'krunvm-double'},
    },
  });
  const {cycles, 'at-once': atOnce, launcher} = values;
  if (!isGroundName(launcher) || ![cycles, atOnce].every((text) => /^[1-9]\d*$/.test(text)))
    throw new Error(USAGE);
  return {cycles: Number(cycles), atOnce: Number(atOnce), launcher};
};

const someOptions = {
  ...{cpus: 1, memoryMib: 192, persist: false, volume: null, diskMib: null},
  network: 'none' as const,
  ...{guestVolumes: false, labels: {}, env: [], idleTimeoutMs: 0},
} as const;

/** In one process, which is what a server would be; every VM has its monitor, which is a process of its own. */
const contextFor = ({state, runtime}: Ground): VmContext => {
  const env = {...process.env, ...state.env, AGENT_STATE_DIR: state.path};
  const context = createContext({env, progress: silentProgress, signal: new AbortController().signal});
  const monitors = createMonitors({
    stateFolder: context.paths.root,
    runtimeFolder: runtime,
    uid: context.uid,
    command: [process.execPath, fileURLToPath(new URL('../../dist/monitor-main.js', import.meta.url))],
    env,
  });
  return {...context, monitors};
};

const cycle = async (context: VmContext, {image}: Ground, number: number): Promise<void> => {
  const {record} = await createVm(context, {...someOptions, ...image, name: `soak${number}`});
  const said = memorySink(100);
  const [result] = await execVms(context, {
    records: [record],
    request: {
      program: () => ({kind: 'command', text: `echo ${number} > /tmp/x; cat /tmp/x`}),
      ...{files: [], env: [], timeoutMs: 60_000, maxOutputBytes: 1_000, parallel: 1},
    },
    openIo: () => ({stdin: null, stdout: [said], stderr: []}),
    onResult: () => {},
  });
  if (said.content().toString() !== `${number}\n`)
    throw result?.error ?? new Error(`cycle ${number}: ${result?.exitCode}`);
  const selection = {vms: [record.id], all: false, labels: {}};
  const ended = [
    ...(await stopVms(context, selection, () => {})),
    ...(await cleanVms(context, {selection, keepPersist: false}, () => {})),
  ];
  for (const {error} of ended) if (error) throw error;
};

const runCycles = async (ground: Ground, cycles: number, atOnce: number): Promise<void> => {
  const context = contextFor(ground);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let number = next++; number < cycles; number = next++) {
      await cycle(context, ground, number);
      if ((number + 1) % 50 === 0) process.stderr.write(`${number + 1} of ${cycles} cycles\n`);
    }
  };
  await Promise.all(Array.from({length: atOnce}, worker));
};

const compare = (before: Census, after: Census): boolean => {
  const names = Object.keys(before);
  for (const name of names) console.log(`${name.padEnd(44)} ${before[name]} before, ${after[name]} after`);
  return names.every((name) => before[name] === after[name]);
};

const main = async (): Promise<number> => {
  const {cycles, atOnce, launcher} = readOptions();
  const ground = await makeGround(launcher);
  try {
    await runCycles(ground, WARM_UP, atOnce);
    const before = await takeCensus(ground.state, ground.runtime);
    const startedAt = Date.now();
    await runCycles(ground, cycles, atOnce);
    console.log(
      `${cycles} cycles with ${launcher}, ${atOnce} at once, in ${Math.round((Date.now() - startedAt) / 1000)} s`,
    );
    return compare(before, await takeCensus(ground.state, ground.runtime)) ? 0 : 1;
  } finally {
    ground.state.remove();
  }
};

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 1;
});
