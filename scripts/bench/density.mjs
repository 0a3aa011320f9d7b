// @ts-check
/** What idle VMs take of the memory, one more at a time, and how many would fit. */
import {freemem} from 'node:os';
import {setTimeout as sleep} from 'node:timers/promises';
import {shareOf} from './memory.mjs';
import {startVm} from './running-vms.mjs';
import {lineThrough} from './statistics.mjs';

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
 * @param {import('./collect.mjs').Bench & {isWarm: boolean, leaveOut: (what: string, why: string) => void}} options
 */
export const measureDensities = async (ground, {plan, samples, say, isWarm, leaveOut}) => {
  if (process.platform !== 'linux') {
    leaveOut('memory', 'only Linux tells what share of it a process has');
    return {cold: undefined, warm: undefined};
  }
  const {densityCount: count, settleMs, runs} = plan;
  const whileUp = async () => {
    for (let run = 0; run < runs; run += 1)
      await samples.attempt(LIST_IDS, () => measureList(ground), ground.signal);
  };
  say('memory of idle VMs, cold');
  const cold = await measureDensity(ground, {kind: 'cold', count, settleMs, samples, whileUp});
  if (!isWarm) return {cold, warm: undefined};
  say('memory of idle VMs, from a template');
  const warm = await measureDensity(ground, {kind: 'warm', count, settleMs, samples});
  return {cold, warm};
};

const LIST_IDS = ['list-up', 'list-up-cpu'];

/** @param {import('./ground.mjs').Ground} ground */
const measureList = async (ground) => {
  const {exitMs, cpuMs} = await ground.agent(['vm', 'list']);
  return {'list-up': exitMs, 'list-up-cpu': cpuMs};
};

/**
 * @param {import('./ground.mjs').Ground} ground
 * @param {{
 *   kind: 'cold' | 'warm',
 *   count: number,
 *   settleMs: number,
 *   samples: import('./samples.mjs').Samples,
 *   whileUp?: () => Promise<void>,
 * }} options `settleMs`: a monitor has given back by then what booting took
 * @returns {Promise<Density | undefined>}
 */
const measureDensity = async (ground, {kind, count, settleMs, samples, whileUp}) => {
  const ids = [`memory-vmm-${kind}`, `memory-monitor-${kind}`];
  /** @type {string[]} */
  const vms = [];
  /** @type {[number, number][]} */
  const measured = [];
  try {
    /** @type {{vmm: number, monitor: number}[]} */
    let shares = [];
    while (vms.length < count && freemem() > SPARE_BYTES) {
      vms.push(await startVm(ground, {language: 'python', isWarm: kind === 'warm'}));
      await sleep(settleMs, undefined, {signal: ground.signal});
      shares = await sharesOf(ground, vms);
      measured.push([vms.length, shares.reduce((sum, {vmm, monitor}) => sum + vmm + monitor, 0)]);
    }
    const [vmm = '', monitor = ''] = ids;
    await samples.attempt(ids, async () => ({
      [vmm]: shares.map((share) => share.vmm),
      [monitor]: shares.map((share) => share.monitor),
    }));
    await whileUp?.();
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
