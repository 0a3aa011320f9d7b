// @ts-check
/** What idle VMs take of the memory, one more at a time, and how many would fit. */
import {freemem} from 'node:os';
import {setTimeout as sleep} from 'node:timers/promises';
import {COLD, WARM} from './ground.mjs';
import {SIZE} from './machine-boots.mjs';
import {shareOf} from './memory.mjs';
import {lineThrough} from './statistics.mjs';
import {execTrue} from './steps.mjs';

const ROOM_MIB = 4096;
/** What must stay free of this machine's memory for one more VM. */
const SPARE_BYTES = 1024 ** 3;

/**
 * @typedef {object} Density
 * @property {number} vms so many were up at last
 * @property {readonly (readonly [vms: number, mib: number])[]} measured what so many took together, VMMs and monitors
 * @property {number} perVmMib the slope of the line through them
 * @property {number} baseMib what that line has at none
 * @property {number} roomMib
 * @property {number} fit how many VMs that line has room for there
 */

/**
 * @param {import('./ground.mjs').Ground} ground
 * @param {{
 *   kind: 'cold' | 'warm',
 *   count: number,
 *   settleMs: number,
 *   samples: import('./samples.mjs').Samples,
 *   whileUp: (count: number) => Promise<void>,
 * }} options `settleMs`: a monitor has given back by then what booting took
 * @returns {Promise<Density | undefined>}
 */
export const measureDensity = async (ground, {kind, count, settleMs, samples, whileUp}) => {
  const ids = [`memory-vmm-${kind}`, `memory-monitor-${kind}`];
  /** @type {string[]} */
  const vms = [];
  /** @type {[number, number][]} */
  const measured = [];
  try {
    /** @type {{vmm: number, monitor: number}[]} */
    let shares = [];
    while (vms.length < count && freemem() > SPARE_BYTES) {
      vms.push(await startVm(ground, kind));
      await sleep(settleMs, undefined, {signal: ground.signal});
      shares = await sharesOf(ground, vms);
      measured.push([vms.length, shares.reduce((sum, {vmm, monitor}) => sum + vmm + monitor, 0)]);
    }
    const [vmm = '', monitor = ''] = ids;
    await samples.attempt(ids, async () => ({
      [vmm]: shares.map((share) => share.vmm),
      [monitor]: shares.map((share) => share.monitor),
    }));
    await whileUp(vms.length);
    return densityOf(measured);
  } catch (error) {
    ground.signal.throwIfAborted();
    samples.fail(ids, error);
    return undefined;
  } finally {
    if (vms.length > 0) await ground.agent(['vm', 'clean', ...vms.flatMap((vm) => ['--vm', vm])]);
  }
};

/**
 * @param {readonly (readonly [number, number])[]} measured
 * @returns {Density}
 */
export const densityOf = (measured) => {
  const {slope, base} = lineThrough(measured);
  return {
    vms: measured.length,
    measured,
    perVmMib: slope,
    baseMib: base,
    roomMib: ROOM_MIB,
    fit: Math.floor((ROOM_MIB - base) / slope),
  };
};

/**
 * Makes a VM and brings it up; it has run `true`, and nothing since.
 * @param {import('./ground.mjs').Ground} ground
 * @param {'cold' | 'warm'} kind
 * @returns {Promise<string>} its id
 */
const startVm = async (ground, kind) => {
  const vm = await createVm(ground);
  const env = kind === 'cold' ? COLD : WARM;
  await ground.agent(execTrue(vm), {env, leavesProcesses: true});
  return vm;
};

/**
 * @param {import('./ground.mjs').Ground} ground
 * @returns {Promise<string>} its id
 */
export const createVm = async (ground) => {
  const size = ['--mem', String(SIZE.memoryMib)];
  const {stdout} = await ground.agent([
    'vm',
    'create',
    '--language',
    'python',
    ...size,
    '--log-format',
    'json',
  ]);
  return JSON.parse(stdout).id;
};

/**
 * @param {import('./ground.mjs').Ground} ground
 * @param {readonly string[]} vms
 */
const sharesOf = async (ground, vms) => {
  const {stdout} = await ground.agent(['vm', 'list', '--json']);
  /** @type {{id: string, pid: number, monitor_pid: number}[]} */
  const listed = JSON.parse(stdout);
  const up = listed.filter(({id}) => vms.includes(id));
  if (up.length !== vms.length) throw new Error(`${up.length} of ${vms.length} VMs are up`);
  return up.map(({pid, monitor_pid}) => ({vmm: shareOf(pid), monitor: shareOf(monitor_pid)}));
};
