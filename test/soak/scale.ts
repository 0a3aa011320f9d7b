/** Many VMs at the same time: every command on all of them, what it costs, and that none is forgotten or left behind. */
import {deepStrictEqual} from 'node:assert/strict';
import {several} from '../../src/vm/several.js';
import {type AgentResult, agent, jsonLines} from '../support/agent.js';
import {processesOf} from '../support/processes.js';
import {type Census, takeCensus} from './census.js';
import type {Ground} from './ground.js';
import {cpuMsOf, proportionalMibOf, waitedCpuMs} from './load.js';

export interface Measure {
  readonly step: string;
  readonly wallMs: number;
  /** Of the commands and what they wait for; not of monitors and VMs. */
  readonly cpuMs: number;
}

export interface Scale {
  readonly vms: number;
  readonly measures: readonly Measure[];
  /** Of monitors and VMs together, while all are up. */
  readonly upMib: number;
  /** Of monitors and VMs together, for booting and the first command. */
  readonly bootCpuMs: number;
}

interface Bench {
  readonly vm: (...args: readonly string[]) => Promise<AgentResult>;
  readonly measure: <T>(step: string, work: () => Promise<T>) => Promise<T>;
}

const MEMORY_MIB = '192';
const CREATES_AT_ONCE = 4;
const DEADLINE_MS = 20 * 60_000;
const COMMAND = ['--cmd', 'echo $NUMBER', '--timeout', '120'] as const;
/** As many as `--parallel` takes: what is too much for the machine has to be bounded by agent itself. */
const ALL_AT_ONCE = ['--all', '--parallel', '256', ...COMMAND] as const;

/** Makes, boots, uses, stops and removes so many VMs. Throws where one of them is missed. */
export const measureScale = async (ground: Ground, vms: number): Promise<Scale> => {
  const {state} = ground;
  await useOnce(ground);
  const before = await takeCensus(state, ground.runtime);
  const {bench, measures} = openBench(ground);
  const {vm, measure} = bench;
  const numbers = await measure('create', () => create(bench, ground, vms));
  const all = (status: string) => new Map([...numbers.keys()].map((id) => [id, status]));
  deepStrictEqual(await measure('list, ready', () => list(bench)), all('ready'));
  deepStrictEqual(await measure('exec, boots', () => exec(bench)), numbers);
  const pids = processesOf(state).map((line) => Number.parseInt(line, 10));
  const up = {upMib: proportionalMibOf(pids), bootCpuMs: cpuMsOf(pids)};
  deepStrictEqual(await measure('list, up', () => list(bench)), all('running'));
  deepStrictEqual(await measure('exec, up', () => exec(bench)), numbers);
  succeeded(await measure('stop', () => vm('stop', '--all')));
  deepStrictEqual(await list(bench), all('stopped'));
  succeeded(await measure('clean', () => vm('clean', '--all')));
  deepStrictEqual(countable(await takeCensus(state, ground.runtime)), countable(before));
  return {vms, measures, ...up};
};

const openBench = ({state}: Ground): {readonly bench: Bench; readonly measures: readonly Measure[]} => {
  const measures: Measure[] = [];
  const measure: Bench['measure'] = async (step, work) => {
    const [startedAt, cpuAt] = [performance.now(), waitedCpuMs()];
    const result = await work();
    measures.push({step, wallMs: performance.now() - startedAt, cpuMs: waitedCpuMs() - cpuAt});
    return result;
  };
  const vm: Bench['vm'] = (...args) => agent(['vm', ...args], {state, timeoutMs: DEADLINE_MS});
  return {bench: {vm, measure}, measures};
};

const succeeded = ({code, signal, stdout, stderr}: AgentResult): string => {
  deepStrictEqual({code, signal, stderr: withoutNews(stderr)}, {code: 0, signal: null, stderr: ''});
  return stdout.toString();
};

/** Verdicts and progress, which say nothing of trouble. */
const withoutNews = (stderr: string): string =>
  stderr
    .split('\n')
    .filter((line) => !/"level":"(info|debug)"/.test(line))
    .join('\n')
    .trim();

/** What is made once, whatever the number of VMs: storage, the image in it, what is remembered of the machine. */
const useOnce = async (ground: Ground): Promise<void> => {
  const {bench} = openBench(ground);
  deepStrictEqual(await create(bench, ground, 1), await exec(bench));
  succeeded(await bench.vm('clean', '--all'));
};

/** The number that each VM was given, by the VM. */
const create = async (
  {vm}: Bench,
  {image: {image, language}}: Ground,
  vms: number,
): Promise<Map<string, string>> => {
  const of = image === null ? ['--language', String(language)] : ['--image', image];
  const numbers = Array.from({length: vms}, (_, at) => String(at));
  const made = await several(numbers, CREATES_AT_ONCE, async (number) => {
    const said = succeeded(await vm('create', ...of, '--mem', MEMORY_MIB, '--env', `NUMBER=${number}`));
    return [String(jsonLines(said)[0]?.id), number] as const;
  });
  return sorted(made);
};

/** The status of each VM. */
const list = async ({vm}: Bench): Promise<Map<string, string>> => {
  const found = JSON.parse(succeeded(await vm('list', '--all', '--json'))) as {id: string; status: string}[];
  return sorted(found.map(({id, status}) => [id, status]));
};

/** What each VM has said: a line that begins with the VM, unless there is only one. */
const exec = async ({vm}: Bench): Promise<Map<string, string>> => {
  const result = await vm('exec', ...ALL_AT_ONCE);
  const lines = succeeded(result).trimEnd().split('\n');
  if (lines.length === 1) return new Map([[String(result.events.at(-1)?.vm), lines[0] ?? '']]);
  return sorted(lines.map((line) => line.split(' | ') as [string, string]));
};

/** Twice the same VM would be one too few in the map. */
const sorted = (pairs: readonly (readonly [string, string])[]): Map<string, string> => {
  const map = new Map([...pairs].sort(([one], [other]) => one.localeCompare(other)));
  deepStrictEqual(map.size, pairs.length);
  return map;
};

/** The database keeps the pages that it has once had. */
const countable = ({'pages of the database': _, ...rest}: Census): Census => rest;
